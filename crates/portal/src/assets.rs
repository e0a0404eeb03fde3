//! What pages load beside their HTML: embedded in the binary, named with a hash, cached for ever.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use axum::{
    body::Body,
    extract::{Path, Query},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

struct Asset {
    bytes: Cow<'static, [u8]>,
    hash: String,
    media_type: &'static str,
}

/// Every asset by name. The style sheets name the typeface by its hashed address, so that it too is cached for ever.
static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let read = |name: &str| Files::get(name).map(|file| file.data).unwrap_or_default();
    let typeface = format!("inter.woff2?v={}", hash(&read("inter.woff2")));
    Files::iter()
        .filter_map(|name| {
            // The folder's notes and licenses are for people who read the source.
            let media_type = media_type(&name)?;
            let mut bytes = read(&name);
            if name.ends_with(".css") {
                let text = String::from_utf8_lossy(&bytes).replace("inter.woff2", &typeface);
                bytes = Cow::Owned(text.into_bytes());
            }
            let asset = Asset { hash: hash(&bytes), media_type, bytes };
            Some((name.into_owned(), asset))
        })
        .collect()
});

fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit('.').next()? {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        _ => None,
    }
}

/// The address of an asset, with the hash of what it holds.
pub(crate) fn url(name: &str) -> String {
    match ASSETS.get(name) {
        Some(asset) => format!("/assets/{name}?v={}", asset.hash),
        None => format!("/assets/{name}"),
    }
}

/// What follows the asset's name.
#[derive(Deserialize)]
pub(crate) struct Version {
    v: Option<String>,
}

/// `GET /assets/{name}`: the asset; cached for a year when it is asked for by the hash it has.
pub(crate) async fn serve(Path(name): Path<String>, Query(version): Query<Version>) -> Response {
    let Some(asset) = ASSETS.get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let current = version.v.as_deref() == Some(asset.hash.as_str());
    let cache = if current { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let body = match &asset.bytes {
        Cow::Borrowed(bytes) => Body::from(*bytes),
        Cow::Owned(bytes) => Body::from(bytes.clone()),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    (headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_of_a_page_exists_and_the_typeface_is_named_by_its_hash() {
        for name in ["tokens.css", "look.css", "portal.css", "htmx.min.js", "portal.js", "inter.woff2", "icon.svg"] {
            assert!(url(name).contains("?v="), "{name}");
        }
        let tokens = &ASSETS["tokens.css"].bytes;
        let address = url("inter.woff2").trim_start_matches("/assets/").to_owned();
        assert!(String::from_utf8_lossy(tokens).contains(&address));
    }
}
