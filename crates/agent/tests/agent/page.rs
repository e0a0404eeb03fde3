//! The product's own page, asked as browsers and as attackers ask.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use tenure_agent::control::{Command, ask_daemon};
use tenure_core::Period;
use tenure_license::{Envelope, ReportStage, UsageReport, decode_payload};

use crate::{site::Site, world::at};

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }
}

/// A browser that was let in.
pub(crate) struct Browser {
    host: String,
    path: String,
    cookie: String,
}

/// Sends bytes as they are and reads what comes back.
fn raw(host: &str, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may have refused and gone before it got all.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

fn get(host: &str, target: &str, headers: &str) -> Answer {
    raw(host, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").as_bytes())
}

/// Host and target of a fresh one-time address.
fn invitation(site: &Site) -> (String, String) {
    let outcome = ask_daemon(&site.config.socket_path(), &Command::OpenPage).unwrap().unwrap();
    let address = outcome.address.expect("the daemon serves a page");
    let (host, target) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    (host.to_owned(), format!("/{target}"))
}

impl Browser {
    pub(crate) fn open(site: &Site) -> Self {
        let (host, target) = invitation(site);
        let answer = get(&host, &target, "");
        assert_eq!(answer.status, 303, "{}", answer.head);
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let path = answer.header("location").unwrap().trim_end_matches('/').to_owned();
        Self { host, path, cookie }
    }

    pub(crate) fn get(&self, page: &str) -> Answer {
        get(&self.host, &format!("{}/{page}", self.path), &format!("Cookie: {}\r\n", self.cookie))
    }

    /// A form as a browser sends it, and the page that it leads to.
    pub(crate) fn post(&self, action: &str, form: &str) -> Answer {
        let answer = self.send(action, form, &format!("Origin: http://{}\r\n", self.host));
        assert_eq!(answer.status, 303, "{}", answer.body);
        let location = answer.header("location").unwrap().to_owned();
        get(&self.host, &location, &format!("Cookie: {}\r\n", self.cookie))
    }

    fn send(&self, action: &str, form: &str, headers: &str) -> Answer {
        let Self { host, path, cookie } = self;
        let length = form.len();
        let head = format!(
            "POST {path}/{action} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n{headers}\r\n{form}"
        );
        raw(host, head.as_bytes())
    }
}

#[test]
fn the_page_says_how_the_license_stands_and_updates_it() {
    let site = Site::new();
    site.start();
    let page = Browser::open(&site).get("");
    assert!(page.status == 200 && page.body.contains("There is no license yet"), "{}", page.body);
    let site = Site::new();
    site.activate();
    site.run();
    let browser = Browser::open(&site);
    let page = browser.get("");
    assert!(page.status == 200 && page.body.contains("The license is valid until"), "{}", page.body);
    assert!(page.body.contains(">Valid<") && page.body.contains("is asked again on"), "{}", page.body);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.body.contains("<script") && !page.body.contains("style="), "{}", page.body);
    let page = browser.post("update-now", "");
    assert!(page.body.contains("class=\"note good\""), "{}", page.body);
    assert!(!browser.get("").body.contains("class=\"note"), "said once");
    site.peer.server().silent = true;
    let page = browser.post("update-now", "");
    assert!(
        page.body.contains("The server was not reached") && page.body.contains("class=\"note bad\""),
        "{}",
        page.body
    );
    site.live_until("2026-01-11T01:30:00Z", "2026-01-13T08:00:00Z");
    let page = Browser::open(&site).get("");
    assert!(
        page.body.contains("<svg viewBox=\"0 0 620 100\"") && page.body.contains("Usage in January 2026"),
        "{}",
        page.body
    );
}

#[test]
fn only_a_browser_that_was_let_in_sees_anything() {
    let site = Site::new();
    site.activate();
    site.run();
    let (host, target) = invitation(&site);
    let guessed = get(&host, &target, "Sec-Purpose: prefetch;prerender\r\n");
    assert_eq!(guessed.status, 503, "a browser that guesses does not use the address up");
    assert!(guessed.body.contains("<h1>Not now</h1>"), "{}", guessed.body);
    let first = get(&host, &target, "");
    assert_eq!(first.status, 303);
    let second = get(&host, &target, "");
    assert!(second.status == 403 && second.header("set-cookie").is_none(), "used: {}", second.head);
    assert!(second.body.contains("tenure agent open"), "{}", second.body);
    let path = first.header("location").unwrap();
    for (target, headers) in [
        ("/", ""),
        (path, ""),
        (path, "Cookie: tenure_page=AAAA\r\n"),
        ("/elsewhere/", ""),
        ("/open", ""),
        ("/open?token=", ""),
        ("/assets/look.css", ""),
    ] {
        let answer = get(&host, target, headers);
        assert_eq!(answer.status, 403, "{target}");
        assert!(!answer.body.contains("license is valid"), "{target}");
    }
    let browser = Browser::open(&site);
    assert_eq!(browser.get("nothing-here").status, 404);
    // Another session's cookie does not open this path.
    let other = Browser::open(&site);
    let crossed = Browser { cookie: other.cookie.clone(), path: browser.path.clone(), host: browser.host.clone() };
    assert_eq!((crossed.get("").status, other.get("").status), (403, 200));
}

#[test]
fn other_sites_and_rebound_names_reach_nothing() {
    let site = Site::new();
    site.activate();
    site.run();
    let browser = Browser::open(&site);
    let before = site.peer.server().seen.len();
    let Browser { host, path, cookie } = &browser;
    for name in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.0.2.7"] {
        let request = format!("GET {path}/ HTTP/1.1\r\nHost: {name}\r\nCookie: {cookie}\r\n\r\n");
        let answer = raw(host, request.as_bytes());
        assert!(answer.status == 403 && !answer.body.contains("valid until"), "{name}: {}", answer.head);
    }
    for headers in [
        "",
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://127.0.0.1:1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        &format!("Sec-Fetch-Site: same-site\r\nOrigin: http://{host}\r\n"),
    ] {
        assert_eq!(browser.send("update-now", "", headers).status, 403, "{headers:?}");
    }
    assert_eq!(site.peer.server().seen.len(), before, "nothing was done");
    // Forms are sent, addresses are not acted on.
    assert_eq!(browser.get("update-now").status, 404);
}

#[test]
fn cut_off_and_huge_requests_harm_nobody() {
    let site = Site::new();
    site.activate();
    site.run();
    let browser = Browser::open(&site);
    let Browser { host, path, cookie } = &browser;
    let head = |length: &str| {
        format!(
            "POST {path}/update-now HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    assert_eq!(raw(host, head("100000000").as_bytes()).status, 413);
    assert_eq!(raw(host, format!("{}{}", head("100000"), "x".repeat(100_000)).as_bytes()).status, 413);
    let huge = format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "a".repeat(200_000));
    assert_eq!(raw(host, huge.as_bytes()).status, 431);
    let many = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n", "A: b\r\n".repeat(200));
    assert_eq!(raw(host, many.as_bytes()).status, 431);
    assert_eq!(raw(host, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").status, 400, "TLS");
    assert_eq!(raw(host, b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 405);
    // Cut off in the head and in the body: nothing is done, and nothing hangs.
    let before = site.peer.server().seen.len();
    for part in [head("0")[..40].to_owned(), head("10"), format!("{}abc", head("10"))] {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(part.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "", "nobody is there to be answered");
    }
    assert_eq!(site.peer.server().seen.len(), before);
}

/// What the page answers at once, as its source says.
const MAX_CONNECTIONS: usize = 16;

#[test]
fn slow_requests_are_few_and_are_given_up() {
    let site = Site::new();
    site.activate();
    site.run();
    let (host, target) = invitation(&site);
    let connect = || {
        let stream = TcpStream::connect(&host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    };
    let rest = |mut stream: TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let slow: Vec<_> = (0..MAX_CONNECTIONS)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
            stream
        })
        .collect();
    // One more than are served is closed at once, unanswered.
    assert_eq!(rest(connect()), "");
    // The others have their time, and are then told that it is over.
    for stream in slow {
        let answer = rest(stream);
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("<h1>Not in time</h1>"), "{answer}");
    }
    let opened = (0..100).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        get(&host, &target, "").status == 303
    });
    assert!(opened, "there is room again");
}

#[test]
fn who_asks_for_a_page_that_is_not_served_is_told_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let site = Site::new();
    site.activate();
    site.run_with_taken_page(taken.local_addr().unwrap());
    let outcome = ask_daemon(&site.config.socket_path(), &Command::OpenPage).unwrap().unwrap();
    assert!(!outcome.done && outcome.address.is_none());
    assert!(outcome.sentence.contains("in use") && !outcome.sentence.contains("--page off"), "{}", outcome.sentence);
}

/// A machine in the night to the 1st of March, whose workloads counted in February; one of them is named by an attacker.
fn on_the_first_of_march() -> Site {
    let mut site = Site::new();
    site.more = Some("\"=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\",\"<script>alert(1)</script>\",vm,");
    site.set(at("2026-01-10T08:00:00Z"));
    site.activate();
    site.run();
    site.live_until("2026-01-11T01:30:00Z", "2026-03-01T22:00:00Z");
    site
}

#[test]
fn a_month_is_reviewed_adjusted_and_sent_on_the_page() {
    let site = on_the_first_of_march();
    let browser = Browser::open(&site);
    let page = browser.get("").body;
    assert!(page.contains("Needs an answer") && page.contains("February 2026"), "{page}");
    let page = browser.get("month/2026-02").body;
    assert!(page.contains(">Preliminary<") && page.contains("they become final by themselves on"), "{page}");
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;") && !page.contains("<script"), "{page}");
    assert!(page.contains("<td class=\"n\"><b>4</b></td>") && page.contains("as counted"), "{page}");

    // Without a reason nothing leaves the report, whatever the browser lets through.
    let page = browser.post("month/2026-02/adjust", "id=a&kind=vm&reason=test_demo&note=+").body;
    assert!(page.contains("needs a reason code and a sentence") && page.contains("<b>4</b>"), "{page}");
    let adjusted = "id=a&kind=vm&reason=test_demo&note=Restored+for+a+drill+%26+gone.";
    let page = browser.post("month/2026-02/adjust", adjusted).body;
    assert!(page.contains("1 out, Test or demonstration: Restored for a drill &#38; gone."), "{page}");
    assert!(page.contains("<b>3</b>") && page.contains(">Taken out<"), "{page}");
    let page = browser.post("month/2026-02/reset", "").body;
    assert!(page.contains("<b>4</b>") && !page.contains("Reset adjustments"), "{page}");
    browser.post("month/2026-02/adjust", adjusted);

    let csv = browser.get("month/2026-02/report.csv");
    assert!(csv.header("content-disposition").unwrap().contains("report-2026-02.csv"), "{}", csv.head);
    assert!(csv.body.contains("\r\n2026-02,vm,,10,4,0,3,1 Test or demonstration: Restored"), "{}", csv.body);
    let csv = browser.get("month/2026-02/workloads.csv").body;
    assert!(csv.contains("\r\n\"'=HYPERLINK("), "{csv}");
    let json = browser.get("month/2026-02/report.json").body;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["lines"][0]["raw"], &json["lines"][0]["count"]), (&4.into(), &3.into()));
    assert_eq!(browser.get("month/2026-02/receipt.json").status, 200, "of the preliminary revision");

    let page = browser.post("month/2026-02/send", "").body;
    assert!(page.contains("class=\"note good\"") && page.contains("the server received it"), "{page}");
    assert!(page.contains(">Final<") && !page.contains("/send\""), "{page}");
    let february: Period = "2026-02".parse().unwrap();
    let reports = site.peer.reports();
    let sent =
        reports.values().filter(|report| report.period == february).max_by_key(|report| report.revision).unwrap();
    assert_eq!((sent.stage, sent.lines[0].raw, sent.lines[0].count), (ReportStage::Final, 4, 3));
    let page = browser.get("").body;
    assert!(!page.contains("Needs an answer") && page.contains("3 vm") && page.contains("January 2026"), "{page}");
    let receipt: serde_json::Value = serde_json::from_str(&browser.get("month/2026-02/receipt.json").body).unwrap();
    let document: Envelope = serde_json::from_value(receipt["document"].clone()).unwrap();
    let signed: UsageReport = decode_payload(&document.payload).unwrap();
    assert_eq!(&signed, sent, "the saved document is what was sent");
    assert!(receipt["answer"]["signatures"].is_array() && page.contains(receipt["receipt"].as_str().unwrap()));

    // What left the machine, in full: the request and the report that it carried.
    let page = browser.get("sent").body;
    assert!(page.contains("Check-in") && page.contains("Usage report"), "{page}");
    assert!(page.contains("Restored for a drill") && !page.contains("HYPERLINK"), "names stay here: {page}");
    let last: serde_json::Value = serde_json::from_str(&browser.get("sent.json").body).unwrap();
    assert!(last[0]["request"]["payload"].is_string(), "{last}");
    assert!(!last[1]["documents"].as_array().unwrap().is_empty(), "{last}");

    // A change after the final report is said, and goes out as its next revision.
    let page = browser.post("month/2026-02/adjust", "id=b&kind=vm&reason=duplicate&note=Twice.").body;
    assert!(page.contains(">Changed since<") && page.contains("Send again"), "{page}");
    let page = browser.post("month/2026-02/send", "").body;
    assert!(page.contains(">Final<") && page.contains("<b>2</b>"), "{page}");
    for address in ["month/2026-13", "month/", "month/2026-02/", "month/2026-02/x", "month/2025-01/receipt.json"] {
        assert_eq!(browser.get(address).status, if address == "month/2026-02/" { 200 } else { 404 }, "{address}");
    }
    let page = browser.get("month/2026-02?find=%3Cscript%3E&from=18446744073709551615").body;
    assert!(page.contains("value=\"&#60;script&#62;\"") && !page.contains("<script"), "{page}");
}

#[test]
fn postponing_holds_until_tomorrow() {
    let site = on_the_first_of_march();
    let page = Browser::open(&site).post("month/2026-02/postpone", "").body;
    assert!(page.contains("You put this off until"), "{page}");
    let page = Browser::open(&site).get("").body;
    assert!(!page.contains("Needs an answer") && page.contains("was put off until"), "{page}");
    site.live_until("2026-03-01T23:59:00Z", "2026-03-01T23:59:30Z");
    assert!(!Browser::open(&site).get("").body.contains("Needs an answer"));
    site.live_until("2026-03-02T00:00:30Z", "2026-03-02T00:01:00Z");
    let page = Browser::open(&site).get("").body;
    assert!(page.contains("Needs an answer"), "the next day is asked about anew: {page}");
    // It becomes final by itself all the same.
    site.live_until("2026-03-03T13:00:00Z", "2026-03-03T14:00:00Z");
    let page = Browser::open(&site).get("month/2026-02").body;
    assert!(page.contains(">Final<"), "{page}");
}
