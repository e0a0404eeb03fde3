//! Script payloads in every text that somebody may write, shown on every page: none runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use axum::http::{Method, StatusCode};
use tenure_service::{Decision, Paging, claim_letters, decide_enrollment, list_organizations};

use crate::{
    browser::{Browser, encode},
    installations, month,
    populated::{self, Person, is_page, kind_of},
};

/// What people try. Each calls `xss`, so that a page which would run one is known by it.
const PAYLOADS: [&str; 60] = [
    "<script>xss(1)</script>",
    "<ScRiPt>xss(2)</sCrIpT>",
    "</script><script>xss(3)</script>",
    "\"><script>xss(4)</script>",
    "'><script>xss(5)</script>",
    "--><script>xss(6)</script>",
    "]]><script>xss(7)</script>",
    "</title><script>xss(8)</script>",
    "</textarea><script>xss(9)</script>",
    "</option></select><script>xss(10)</script>",
    "<script src=//evil.example/xss(11)></script>",
    "<script/src=data:,xss(12)></script>",
    "<script\n>xss(13)</script>",
    "<img src=x onerror=xss(14)>",
    "<img src=x onerror=\"xss(15)\">",
    "<img/src/onerror=xss(16)>",
    "<img src=`x`onerror=xss(17)>",
    "\"><img src=x onerror=xss(18)>",
    "'><img src=x onerror=xss(19)>",
    "<svg onload=xss(20)>",
    "<svg/onload=xss(21)>",
    "<svg><script>xss(22)</script></svg>",
    "<svg><animate onbegin=xss(23) attributeName=x dur=1s>",
    "<svg><a xlink:href=\"javascript:xss(24)\"><text y=9>x</text></a></svg>",
    "<body onload=xss(25)>",
    "<iframe src=javascript:xss(26)></iframe>",
    "<iframe srcdoc=\"<script>xss(27)</script>\"></iframe>",
    "<embed src=javascript:xss(28)>",
    "<object data=javascript:xss(29)></object>",
    "<a href=javascript:xss(30)>x</a>",
    "<a href=\"java\tscript:xss(31)\">x</a>",
    "<form action=javascript:xss(32)><button>x</button></form>",
    "<button formaction=javascript:xss(33)>x</button>",
    "<input autofocus onfocus=xss(34)>",
    "<select autofocus onfocus=xss(35)></select>",
    "<textarea autofocus onfocus=xss(36)></textarea>",
    "<details open ontoggle=xss(37)>",
    "<video src=x onerror=xss(38)></video>",
    "<video><source onerror=xss(39)></video>",
    "<audio src=x onerror=xss(40)></audio>",
    "<marquee onstart=xss(41)>x</marquee>",
    "<math><mtext></form><img src=x onerror=xss(42)>",
    "<link rel=stylesheet href=//evil.example/xss(43)>",
    "<style>*{background:url(//evil.example/xss(44))}</style>",
    "<meta http-equiv=refresh content=\"0;url=javascript:xss(45)\">",
    "<base href=//evil.example/xss(46)/>",
    "<template><script>xss(47)</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=xss(48)>\">",
    "\" onmouseover=xss(49) x=\"",
    "' onmouseover=xss(50) x='",
    "\" autofocus onfocus=xss(51) \"",
    "\" hx-on:click=xss(52) \"",
    "<p hx-get=/home hx-trigger=load hx-on:load=xss(53)>",
    "javascript:xss(54)//\"'><svg onload=xss(54)>",
    "{{constructor.constructor('xss(55)')()}}",
    "${xss(56)}`;xss(56)//",
    "\\\";xss(57);//",
    "&lt;script&gt;xss(58)&lt;/script&gt;<b>xss(58)</b>",
    "\u{ff1c}script\u{ff1e}xss(59)</script><script>xss(59)</script>",
    "%3Cscript%3Exss(60)%3C/script%3E<script>xss(60)</script>",
];

/// All payloads, as many to a text as a field takes, in halves for the shortest field; control characters are refused
/// everywhere and are spaces.
pub(crate) fn texts() -> Vec<[String; 2]> {
    let mut halves: Vec<String> = Vec::new();
    for payload in PAYLOADS {
        let payload = payload.replace(char::is_control, " ");
        match halves.last_mut() {
            Some(last) if last.chars().count() + payload.chars().count() <= populated::SHORTEST => {
                last.push_str(&payload);
            }
            _ => halves.push(payload),
        }
    }
    halves.chunks(2).map(|pair| [pair[0].clone(), pair.get(1).cloned().unwrap_or_default()]).collect()
}

#[tokio::test]
async fn no_page_shows_what_somebody_wrote_as_markup() {
    let texts = texts();
    let (world, people) = populated::world(&texts, texts.len()).await;
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for person in &people {
        let mut browser = Browser::signed_in(&world.app, &person.email, &person.password).await;
        for (path, html) in pages(&mut browser, person).await {
            assert_eq!(foreign(&html), None, "{path}");
            for text in texts.iter().flatten() {
                if html.contains(&escaped(text)) {
                    *shown.entry(text).or_default() += 1;
                }
            }
        }
    }
    for text in texts.iter().flatten().filter(|text| !text.is_empty()) {
        assert!(shown.get(text.as_str()).copied().unwrap_or_default() > 10, "{text} is shown");
    }
}

/// What is only shown back: rows to import, unknown columns, what was typed into a form that is refused, a reason.
#[tokio::test]
async fn what_is_refused_is_no_markup_either() {
    let world = month::world().await;
    let mut browser = world.provider().await;
    let mut stranger = installations::stranger(&world).await;
    let license = world.license(world.company("Fabrikam Ltd").await, None).await;
    let (kind, paging) = (tenure_core::roles::OrgKind::Provider, Paging::default());
    let providers = list_organizations(&world.app.service, &world.vendor, Some(kind), &paging).await;
    let southlight = providers.expect("providers").items.into_iter().find(|org| org.name == "Southlight");
    let southlight = southlight.expect("the stranger's").id;
    let (month, enroll) = ("/months/2026-09".to_owned(), format!("/licenses/{license}/enroll"));
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for text in texts().iter().map(|halves| halves.concat()) {
        let quoted = format!("\"{}\"", text.replace('"', "\"\""));
        let rows = format!("product,workload,company,count\n{quoted},{quoted},{quoted},{quoted}\n");
        let unknown = format!("product,workload,count,{quoted}\nx,y,1,z\n");
        let manual = vec![field("unit", &text), field("count", &text), field("idempotency_key", "1")];
        let adjust = ["count", "reason", "note"].map(|name| field(name, &text)).to_vec();
        let token = ["name", "servers", "limit", "networks"].map(|name| field(name, &text)).to_vec();
        let forms = [
            (format!("{month}/import"), vec![field("text", &rows)]),
            (format!("{month}/import"), vec![field("text", &unknown)]),
            (format!("{month}/manual"), manual),
            (format!("{month}/adjustments"), adjust),
            (enroll.clone(), token),
            ("/settings/tokens".to_owned(), vec![field("name", &text), field("days", &text)]),
            ("/settings/console/merge".to_owned(), vec![field("into", &text), field("merged", &text)]),
            ("/companies".to_owned(), vec![field("name", ""), field("contact", &text)]),
        ];
        for (path, fields) in forms {
            let answer = browser.request(Method::POST, &path, Some(encode(&fields))).await;
            assert!(answer.status.is_success() || answer.status.is_client_error(), "{path}: {}", answer.status);
            assert_eq!(foreign(&answer.text()), None, "{path}");
            if path.ends_with("/import") {
                assert!(answer.text().contains(&escaped(&text)), "{path} shows {text}");
            }
        }
        // Asked for, declined with a reason, and asked for again.
        let page = stranger.get("/automatic-reporting").await;
        stranger.send(page.form("/automatic-reporting").with("confirmed", "true")).await;
        let decline = Decision::Decline(text.clone());
        decide_enrollment(&world.app.service, &world.vendor, southlight, decline, None).await.expect("declined");
        let page = stranger.get("/automatic-reporting").await;
        assert!(page.html.contains(&escaped(&text)), "the reason {text} is shown");
        for page in [page, stranger.get("/licenses").await] {
            assert_eq!(foreign(&page.html), None, "{}", page.path);
        }
    }
}

/// Letters are plain text under one line, whatever a name or a reason holds.
#[tokio::test]
async fn no_letter_is_bent_by_what_somebody_wrote() {
    let texts = texts();
    let (world, _) = populated::world(&texts, texts.len()).await;
    let (mut subjects, mut told) = (Vec::new(), 0);
    loop {
        let (letters, more) = claim_letters(&world.app.service, "https://rental.example").await.expect("letters");
        for letter in letters {
            assert!(!letter.subject.contains(char::is_control), "{:?}", letter.subject);
            let names = letter.to.iter().map(|to| &to.name);
            assert!(names.into_iter().all(|name| !name.contains(char::is_control)));
            assert!(!letter.text.contains(|c: char| c.is_control() && c != '\n'), "{:?}", letter.text);
            // What somebody wrote stands as it is: nothing reads it as markup, for a letter is text.
            told += usize::from(texts.iter().any(|text| letter.text.contains(&text[0])));
            subjects.push(letter.subject);
        }
        if !more {
            break;
        }
    }
    assert!(subjects.len() > texts.len() && told > texts.len(), "{told} of {subjects:?}");
}

/// One page of each kind that links lead to, but all months and all pages of lists.
async fn pages(browser: &mut Browser<'_>, person: &Person) -> Vec<(String, String)> {
    let mut ahead = VecDeque::from(person.starts());
    let mut seen: BTreeSet<String> = person.starts().iter().map(|path| kind_of(path)).collect();
    let mut pages = Vec::new();
    while let Some(path) = ahead.pop_front() {
        let page = browser.get(&path).await;
        assert!(page.status == StatusCode::OK || path == "/no-such-page", "{path}: {}", page.status);
        for link in page.html.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '#']).next()) {
            let link = link.replace("&#38;", "&").replace("&amp;", "&");
            let is_each = link.starts_with("/months/mu_") && !link.contains('?') || link.contains("after=");
            let kind = if is_each { link.clone() } else { kind_of(&link) };
            if is_page(&link) && seen.insert(kind) {
                ahead.push_back(link);
            }
        }
        pages.push((path, page.html));
    }
    pages
}

/// As the templates write it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' => out.extend(["&#", &(c as u32).to_string(), ";"]),
            c => out.push(c),
        }
    }
    out
}

/// Reads the page as a browser does and gives the first tag that is not the template's: one with a payload outside a
/// quoted attribute, a handler, a script or an address of its own.
fn foreign(html: &str) -> Option<String> {
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let mut quoted = false;
        let end = after.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.unwrap_or(after.len());
        let tag = after[..end].to_lowercase();
        let bare: String = tag.split('"').step_by(2).collect();
        let handles = bare.split([' ', '/']).any(|name| name.starts_with("on") || name.starts_with("hx-on"));
        let is_script = tag.trim_start_matches('/').starts_with("script") && tag != "/script";
        let leads = ["href=\"", "action=\"", "src=\"", "srcdoc=\""].iter().any(|attribute| {
            tag.split(attribute).skip(1).any(|value| !value.starts_with(['/', '#']) || value.starts_with("//"))
        });
        let loads = ["iframe", "object", "embed", "base", "style", "noscript", "meta http-equiv"]
            .iter()
            .any(|name| tag.starts_with(name));
        if loads || bare.contains("xss") || handles || leads || is_script && !tag.starts_with("script src=\"/assets/") {
            return Some(tag);
        }
        rest = &after[end..];
    }
    None
}

#[test]
fn markup_would_be_found() {
    for payload in PAYLOADS {
        let harmless = !payload.contains('<') || payload.starts_with("{{");
        let as_it_is = format!("<p>{payload}</p>");
        let found = foreign(&as_it_is).is_some() || as_it_is.contains("<b>");
        assert!(found || harmless, "{payload}");
        assert_eq!(foreign(&format!("<p title=\"{0}\">{0}</p>", escaped(payload))), None);
    }
}
