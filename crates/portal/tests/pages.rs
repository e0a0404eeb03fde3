//! Every page from fixed values: as reviewed, and with nothing that the content security policy refuses.

mod fixtures;

/// The pages as they were looked at. With `TENURE_PAGES=DIR` they are also written there, to be looked at.
#[test]
fn pages_are_as_reviewed() {
    let pages = fixtures::pages();
    if let Some(into) = std::env::var_os("TENURE_PAGES") {
        for (name, html) in &pages {
            let file = std::path::Path::new(&into).join(format!("{name}.html"));
            std::fs::write(file, html).expect("a writable directory");
        }
    }
    for (name, html) in pages {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(name, without_hashes(&html));
        });
    }
}

/// The page without the hashes of its assets, which change with every touch of a style.
fn without_hashes(html: &str) -> String {
    let mut parts = html.split("?v=");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

#[test]
fn no_page_carries_what_the_policy_refuses() {
    for (name, html) in fixtures::pages() {
        for refused in [" style=", "<style", " onclick", " onsubmit", "javascript:", "http://", "https://"] {
            assert!(!html.contains(refused), "{name} contains {refused}");
        }
        let inline = html.split("<script").skip(1).any(|script| !script.starts_with(" src=\"/assets/"));
        assert!(!inline, "{name} has an inline script");
    }
}

/// One main, one h1, a label for every field, a name for every button, and no id twice.
#[test]
fn pages_can_be_used_without_seeing_them() {
    for (name, html) in fixtures::pages() {
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        let mut ids: Vec<_> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name} has an id twice: {ids:?}");
        for (at, _) in
            html.match_indices("<input").chain(html.match_indices("<select")).chain(html.match_indices("<textarea"))
        {
            let tag = &html[at..at + html[at..].find('>').unwrap_or(0)];
            let before = &html[..at];
            let labeled = before.rfind("<label").is_some_and(|label| !before[label..].contains("</label>"));
            assert!(labeled || tag.contains("type=\"hidden\""), "{name}: {tag} has no label");
        }
    }
}
