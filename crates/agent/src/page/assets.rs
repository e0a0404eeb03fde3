//! What pages load beside their HTML: the portal's own tokens, patterns and typeface, in the binary.

use std::{fmt::Write as _, sync::LazyLock};

use sha2::{Digest, Sha256};

use super::response::Response;

const TYPEFACE: &[u8] = include_bytes!("../../assets/inter.woff2");
const ICON: &[u8] = include_bytes!("../../assets/icon.svg");
/// One sheet: what the portal has, then what this page needs beyond it.
const STYLES: [&str; 3] = [
    include_str!("../../assets/tokens.css"),
    include_str!("../../assets/look.css"),
    include_str!("../../assets/page.css"),
];

struct Asset {
    address: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

struct Assets {
    style: Asset,
    typeface: Asset,
    icon: Asset,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let typeface = asset("inter.woff2", "font/woff2", TYPEFACE);
    let style = STYLES.concat().replace("inter.woff2", typeface.address.trim_start_matches("/assets/"));
    // Made once, and needed as long as the process runs.
    let style = asset("page.css", "text/css; charset=utf-8", style.into_bytes().leak());
    Assets { style, typeface, icon: asset("icon.svg", "image/svg+xml", ICON) }
});

fn asset(name: &str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let hash = Sha256::digest(bytes).iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    Asset { address: format!("/assets/{hash}-{name}"), media_type, bytes }
}

/// The address of the style sheet.
pub(super) fn style() -> &'static str {
    &ASSETS.style.address
}

/// The address of the icon.
pub(super) fn icon() -> &'static str {
    &ASSETS.icon.address
}

/// An asset by its address.
pub(super) fn serve(path: &str) -> Option<Response> {
    let Assets { style, typeface, icon } = &*ASSETS;
    let asset = [style, typeface, icon].into_iter().find(|asset| asset.address == path)?;
    Some(Response::asset(asset.media_type, asset.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_names_the_typeface_by_its_address() {
        let style = std::str::from_utf8(ASSETS.style.bytes).unwrap();
        let named = ASSETS.typeface.address.trim_start_matches("/assets/");
        assert!(style.contains(&format!("url(\"{named}\")")) && serve(style_address()).is_some());
        assert!(serve("/assets/look.css").is_none() && serve("/assets/").is_none());
    }

    fn style_address() -> &'static str {
        super::style()
    }
}
