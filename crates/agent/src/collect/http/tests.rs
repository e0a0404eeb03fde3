//! Against a real small server, friendly and hostile.

use std::{
    fs,
    io::Write,
    sync::atomic::{AtomicI64, Ordering},
};

use tenure_core::{Boot, BootId};

use super::*;
use crate::{
    collect::scripted::{Scripted, Still, respond},
    config::parse_collector,
};

fn now() -> Timestamp {
    "2026-02-01T00:30:00Z".parse().unwrap()
}

fn config(server: &Scripted, options: &str) -> HttpConfig {
    let given = format!("http:url={}{options}", server.base);
    let crate::collect::CollectorConfig::Http(config) = parse_collector(&given).unwrap() else { panic!("{given}") };
    config
}

fn collect(server: &Scripted, options: &str) -> Result<Vec<Sighting>, CollectError> {
    collect_with(config(server, options))
}

fn collect_with(config: HttpConfig) -> Result<Vec<Sighting>, CollectError> {
    let mut collector = HttpCollector::new(config, &Network::default(), Arc::new(Still)).unwrap();
    collector.collect(Timestamp::EPOCH, now())
}

fn ids(seen: &[Sighting]) -> Vec<&str> {
    seen.iter().map(|sighting| sighting.id.as_str()).collect()
}

#[test]
fn items_are_read_by_pointers() {
    let server = Scripted::pages(&[(
        "/machines",
        r#"{"data":{"rows":[
            {"name":"a","kind":"vm","size":{"tier":"large"},"tenant":"Contoso","last":"2026-01-31T02:14:00Z"},
            {"name":17,"kind":"nas","last":1769825640.5},
            {"name":"never","kind":"vm","last":null},
            {"name":"new","kind":"vm"}]}}"#,
    )]);
    let options = "/machines,items=/data/rows,id=/name,workload_field=/kind,variant_field=/size/tier,\
                   company_field=/tenant,protected_at=/last";
    let seen = collect(&server, options).unwrap();
    assert_eq!(ids(&seen), ["a", "17"]);
    let a = &seen[0];
    assert_eq!((a.workload.as_str(), a.variant.as_str(), a.company.as_str()), ("vm", "large", "Contoso"));
    assert_eq!(seen[1].at.to_string(), "2026-01-31T02:14:00.5Z");
    // Without `protected_at`, what is listed is protected now.
    let listed = collect(&server, "/machines,items=/data/rows,id=/name,workload=vm,company=Contoso").unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|one| one.at == now() && one.company == "Contoso"));
}

#[test]
fn pages_are_followed_by_link_number_and_cursor() {
    let linked = Scripted::pages(&[
        ("/v1?size=2", r#"{"items":[{"id":"a"},{"id":"b"}],"links":{"next":"/v1?size=2&page=2"}}"#),
        ("/v1?size=2&page=2", r#"{"items":[{"id":"c"}],"links":{"next":"?page=3"}}"#),
        ("/v1?page=3", r#"{"items":[],"links":{}}"#),
    ]);
    let seen = collect(&linked, "/v1?size=2,items=/items,id=/id,workload=vm,next_link=/links/next").unwrap();
    assert_eq!(ids(&seen), ["a", "b", "c"]);

    let numbered = Scripted::pages(&[
        ("/v1?x=1&p=0", r#"[{"id":"a"}]"#),
        ("/v1?x=1&p=1", r#"[{"id":"b"}]"#),
        ("/v1?x=1&p=2", "[]"),
    ]);
    let seen = collect(&numbered, "/v1?x=1,id=/id,workload=vm,page_parameter=p,first_page=0").unwrap();
    assert_eq!(ids(&seen), ["a", "b"]);

    let by_cursor = Scripted::pages(&[
        ("/v1", r#"{"items":[{"id":"a"}],"more":"x/y z"}"#),
        ("/v1?after=x%2Fy%20z", r#"{"items":[{"id":"b"}],"more":null}"#),
    ]);
    let seen = collect(&by_cursor, "/v1,items=/items,id=/id,workload=vm,cursor=/more,cursor_parameter=after").unwrap();
    assert_eq!(ids(&seen), ["a", "b"]);
}

#[test]
fn a_token_is_read_from_its_file_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    let server = Scripted::new(|asked, stream| match asked.authorization.as_deref() {
        Some("Bearer s3cret") => respond(stream, "200 OK", "[]"),
        _ => respond(stream, "401 Unauthorized", "who are you?"),
    });
    let config = HttpConfig { token_file: Some(token.clone()), ..config(&server, "/,id=/id,workload=vm") };
    let said = || collect_with(config.clone()).map_err(|error| error.to_string());
    assert!(said().unwrap_err().contains("`token_file`: cannot read"));
    fs::write(&token, "old\n").unwrap();
    let refused = said().unwrap_err();
    assert!(refused.contains("status 401 (is the token in `token_file` valid") && refused.ends_with("who are you?"));
    assert!(!refused.contains("old"), "{refused}");
    fs::write(&token, "s3cret\n").unwrap();
    assert_eq!(said(), Ok(Vec::new()));
    let elsewhere = HttpConfig { url: "http://backup.example.com/".into(), ..config.clone() };
    let refused = collect_with(elsewhere).unwrap_err().to_string();
    assert!(refused.contains("only sent over https"), "{refused}");
}

#[test]
fn hostile_answers_are_refused_in_one_sentence() {
    let huge = format!("[{}1]", "1,".repeat(9 << 20));
    let cases: [(&str, String, &str); 9] = [
        ("200 OK", "{".into(), "not JSON: EOF"),
        ("200 OK", "<html>".into(), "not JSON: expected value"),
        ("200 OK", "{}".into(), "`items`: there is nothing at `/items`"),
        ("200 OK", r#"{"items":{"id":"a"}}"#.into(), "`items`: what `/items` points at is an object, not an array"),
        ("200 OK", r#"{"items":[],"next":7}"#.into(), "`next_link` (/next) is a number"),
        ("200 OK", r#"{"items":[],"next":"https://evil.example/"}"#.into(), "leads to another server"),
        ("200 OK", r#"{"items":[],"next":"//evil.example/"}"#.into(), "`next_link`: "),
        ("200 OK", huge, "larger than 16777216 bytes"),
        ("500 x", "\u{1b}[31mno".into(), "status 500: [31mno"),
    ];
    for (status, body, needle) in cases {
        let server = Scripted::new(move |_, stream| respond(stream, status, &body));
        let said = collect(&server, "/,items=/items,id=/id,workload=vm,next_link=/next").unwrap_err().to_string();
        assert!(said.contains(needle) && said.len() < 500, "{said} should say {needle}");
    }
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let server = Scripted::new(|asked, stream| {
        let to = if asked.target == "/a" { "/b" } else { "/a" };
        let _ = write!(stream, "HTTP/1.1 302 x\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    });
    let said = collect(&server, "/a,id=/id,workload=vm").unwrap_err().to_string();
    assert!(said.contains("it redirects to `/b`"), "{said}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn paging_ends() {
    // Always the same page, whatever is asked for.
    let same = Scripted::new(|_, stream| respond(stream, "200 OK", r#"{"items":[{"id":"a"}],"next":"/x"}"#));
    let said = collect(&same, "/,items=/items,id=/id,workload=vm,next_link=/next").unwrap_err().to_string();
    assert!(said.contains("page 2 is the page before it once more"), "{said}");
    let said = collect(&same, "/,items=/items,id=/id,workload=vm,page_parameter=page").unwrap_err().to_string();
    assert!(said.contains("page 2 is the page before it once more"), "{said}");
    // A page that names itself, and pages without end.
    let itself = Scripted::pages(&[("/", r#"{"items":[],"next":"/"}"#)]);
    let said = collect(&itself, "/,items=/items,id=/id,workload=vm,next_link=/next").unwrap_err().to_string();
    assert!(said.contains("names itself"), "{said}");
    let endless = Scripted::new(|asked, stream| {
        let body = format!(
            r#"{{"items":[{{"id":"a"}}],"next":"{}1"}}"#,
            asked.target.split_at(4000.min(asked.target.len())).0
        );
        respond(stream, "200 OK", &body);
    });
    let said = collect(&endless, "/?,items=/items,id=/id,workload=vm,next_link=/next").unwrap_err().to_string();
    assert!(said.contains("more than 1000 pages"), "{said}");
}

/// A clock on which each look takes a second.
struct Hurried(AtomicI64);

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        now()
    }
    fn boot(&self) -> Boot {
        let elapsed_us = self.0.fetch_add(1_000_000, Ordering::SeqCst);
        Boot { id: BootId(uuid::Uuid::nil()), elapsed_us }
    }
}

#[test]
fn all_pages_share_one_time() {
    let pages = Scripted::new(|asked, stream| {
        respond(stream, "200 OK", &format!(r#"{{"items":[],"next":"{}1"}}"#, asked.target));
    });
    let config = HttpConfig { timeout_secs: 5, ..config(&pages, "/?,items=/items,id=/id,workload=vm,next_link=/next") };
    let hurried = Arc::new(Hurried(AtomicI64::new(0)));
    let mut collector = HttpCollector::new(config, &Network::default(), hurried).unwrap();
    let said = collector.collect(Timestamp::EPOCH, now()).unwrap_err().to_string();
    assert!(said.contains("not done within 5 s (`timeout_secs`)"), "{said}");
    assert_eq!(pages.asked().len(), 4);
    // One answer that never ends.
    let silent = Scripted::new(|_, stream| {
        let _ = write!(stream, "HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\n[");
        std::thread::park_timeout(std::time::Duration::from_secs(5));
    });
    let said = collect(&silent, "/,id=/id,workload=vm,timeout_secs=1").unwrap_err().to_string();
    assert!(said.contains("not done within 1 s"), "{said}");
    let cut = Scripted::new(|_, stream| {
        let _ = write!(stream, "HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\n[");
    });
    let said = collect(&cut, "/,id=/id,workload=vm").unwrap_err().to_string();
    assert!(said.starts_with(&cut.base), "{said}");
}

#[test]
fn bad_items_are_named_and_good_ones_kept() {
    let server = Scripted::pages(&[(
        "/",
        r#"[{"id":"a"},{"name":"b"},{"id":true},{"id":""},{"id":"e","at":"yesterday"},{"id":"f","at":1e300},{"id":"g","at":0}]"#,
    )]);
    let error = collect(&server, "/,id=/id,workload=vm,protected_at=/at").unwrap_err();
    let CollectError::BadRows { good, bad } = error else { panic!("{error}") };
    assert_eq!((ids(&good), bad.len()), (vec!["g"], 2), "those without an instant were never protected");
    let error = collect(&server, "/,id=/id,workload=vm").unwrap_err().to_string();
    assert!(
        error.starts_with(
            "page 1 item 2: `id`: there is nothing at `/id`; page 1 item 3: `id`: what `/id` points at is a boolean; \
             page 1 item 4: `id` is empty"
        ),
        "{error}"
    );
}
