//! A browser without JavaScript: it keeps cookies, follows redirects, sends forms as they are drawn.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use tenure_testkit::{Answer, TestApp};

/// Somebody's browser.
pub(crate) struct Browser<'a> {
    app: &'a TestApp,
    cookies: Vec<(String, String)>,
    /// Headers sent with each request.
    pub(crate) extra: Vec<(&'static str, String)>,
}

/// A page that was reached, and where it was.
pub(crate) struct Reached {
    pub(crate) path: String,
    pub(crate) status: StatusCode,
    pub(crate) html: String,
}

/// A form as it is drawn: where it goes and what it would send as it stands.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) method: String,
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: Vec::new(), extra: Vec::new() }
    }

    /// A browser in which somebody has signed in.
    pub(crate) async fn signed_in(app: &'a TestApp, email: &str, password: &str) -> Self {
        let mut browser = Self::new(app);
        let door = browser.get("/sign-in").await;
        let form = door.form("/sign-in").with("email", email).with("password", password);
        let home = browser.send(form).await;
        assert_eq!(home.status, 200, "{}", home.html);
        browser
    }

    /// One request, no redirect followed.
    pub(crate) async fn request(&mut self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "tenure.example");
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if body.is_some() {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ORIGIN, "http://tenure.example")
                .header("sec-fetch-site", "same-origin");
        }
        for (name, value) in &self.extra {
            request = request.header(*name, value);
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).expect("a request");
        let answer = self.app.send(request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// Goes to a path.
    pub(crate) async fn get(&mut self, path: &str) -> Reached {
        let answer = self.request(Method::GET, path, None).await;
        self.follow(path, answer).await
    }

    /// Sends a form.
    pub(crate) async fn send(&mut self, form: Form) -> Reached {
        let query = encode(&form.fields);
        if form.method == "get" {
            return self.get(&format!("{}?{query}", form.action)).await;
        }
        let answer = self.request(Method::POST, &form.action, Some(query)).await;
        self.follow(&form.action, answer).await
    }

    async fn follow(&mut self, path: &str, mut answer: Answer) -> Reached {
        let mut path = path.to_owned();
        for _ in 0..5 {
            if answer.status != StatusCode::SEE_OTHER {
                break;
            }
            let location = answer.headers[header::LOCATION].to_str().expect("a path").to_owned();
            path = location.split('#').next().unwrap_or_default().to_owned();
            answer = self.request(Method::GET, &path, None).await;
        }
        Reached { path, status: answer.status, html: answer.text() }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Reached {
    /// The form with an action, as it is drawn; the first if there are several.
    #[track_caller]
    pub(crate) fn form(&self, action: &str) -> Form {
        self.forms(action).into_iter().next().unwrap_or_else(|| panic!("no form {action} in {}", self.html))
    }

    /// The form with an action and a hidden or typed value among its fields.
    #[track_caller]
    pub(crate) fn form_with(&self, action: &str, name: &str, value: &str) -> Form {
        let fits = |form: &Form| form.fields.iter().any(|(known, held)| known == name && held == value);
        let found = self.forms(action).into_iter().find(fits);
        found.unwrap_or_else(|| panic!("no form {action} with {name}={value} in {}", self.html))
    }

    pub(crate) fn forms(&self, action: &str) -> Vec<Form> {
        let mut forms = Vec::new();
        for chunk in self.html.split("<form ").skip(1) {
            let (tag, rest) = chunk.split_once('>').expect("a closed tag");
            let form = rest.split("</form>").next().unwrap_or_default();
            if attribute(tag, "action").as_deref() != Some(action) {
                continue;
            }
            let id = attribute(tag, "id");
            // A button outside may belong to it; what it would send is inside all the same.
            let _ = id;
            forms.push(Form {
                method: attribute(tag, "method").unwrap_or_default(),
                action: action.to_owned(),
                fields: fields(form),
            });
        }
        forms
    }

    /// The text without its tags, white space folded.
    pub(crate) fn words(&self) -> String {
        let mut out = String::new();
        let mut in_tag = false;
        for c in self.html.chars() {
            match c {
                '<' => in_tag = true,
                '>' => {
                    in_tag = false;
                    out.push(' ');
                }
                _ if !in_tag => out.push(c),
                _ => {}
            }
        }
        let out = unescape(&out);
        out.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",").replace(" .", ".")
    }

    #[track_caller]
    pub(crate) fn assert_says(&self, words: &str) {
        assert!(self.words().contains(words), "{words:?} is not said in: {}", self.words());
    }

    #[track_caller]
    pub(crate) fn assert_silent_about(&self, words: &str) {
        assert!(!self.words().contains(words), "{words:?} is said in: {}", self.words());
    }
}

impl Form {
    /// With another value of a field, or a field more.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn fields(form: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for chunk in form.split('<').skip(1) {
        let tag = chunk.split('>').next().unwrap_or_default();
        if let Some(tag) = tag.strip_prefix("input ") {
            let kind = attribute(tag, "type").unwrap_or_default();
            let is_off = matches!(kind.as_str(), "radio" | "checkbox") && !tag.contains(" checked");
            if let Some(name) = attribute(tag, "name").filter(|_| !is_off) {
                fields.push((name, attribute(tag, "value").unwrap_or_default()));
            }
        } else if let Some(tag) = tag.strip_prefix("textarea ") {
            let text = chunk.split_once('>').map_or("", |(_, text)| text);
            fields.push((attribute(tag, "name").unwrap_or_default(), unescape(text)));
        } else if let Some(tag) = tag.strip_prefix("select ") {
            let name = attribute(tag, "name").unwrap_or_default();
            let after = form.split_once(&format!("<select {tag}>")).map_or("", |(_, after)| after);
            let options = after.split("</select>").next().unwrap_or_default();
            let all: Vec<&str> = options.split("<option ").skip(1).collect();
            let chosen =
                all.iter().find(|option| option.split('>').next().is_some_and(|tag| tag.contains(" selected")));
            if let Some(option) = chosen.or(all.first()) {
                fields.push((name, attribute(option, "value").unwrap_or_default()));
            }
        }
    }
    fields
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = format!(" {tag}");
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescape(rest.split('"').next()?))
}

fn unescape(text: &str) -> String {
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

pub(crate) fn encode(fields: &[(String, String)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}
