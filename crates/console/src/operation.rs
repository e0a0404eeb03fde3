//! An operation with its route, its handler and what the OpenAPI document says of it, so that none is served unsaid.

use axum::{
    Router,
    handler::Handler,
    http::Method,
    routing::{MethodFilter, on},
};
use serde_json::{Map, Value, json};

use crate::{Console, schema};

/// Parameters that every list takes.
const LISTING: [&str; 5] = ["filter", "sort", "limit", "offset", "select"];

/// What an operation answers when it was done.
#[derive(Clone, Copy)]
enum Answer {
    /// A page of things.
    List(&'static str),
    /// One thing.
    One(&'static str),
    /// Nothing but that it was done.
    Done,
    /// A body of another form.
    Other(&'static str, &'static str),
    /// It always refuses.
    Never,
}

/// What an operation takes in its body.
#[derive(Clone, Copy)]
enum Body {
    Nothing,
    Json(&'static str),
    Patch,
    Form(&'static str),
    File,
}

/// What the document says of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    summary: &'static str,
    answer: Answer,
    body: Body,
    query: &'static [(&'static str, &'static str)],
    named: bool,
    open: bool,
}

impl Said {
    const fn of(summary: &'static str, answer: Answer) -> Self {
        Self { summary, answer, body: Body::Nothing, query: &[], named: false, open: false }
    }
    /// Answers with a page of things of a shape.
    pub(crate) const fn list(summary: &'static str, shape: &'static str) -> Self {
        Self::of(summary, Answer::List(shape))
    }
    /// Answers with one thing of a shape.
    pub(crate) const fn one(summary: &'static str, shape: &'static str) -> Self {
        Self::of(summary, Answer::One(shape))
    }
    /// Answers that it was done.
    pub(crate) const fn done(summary: &'static str) -> Self {
        Self::of(summary, Answer::Done)
    }
    /// Answers with a body that is not enveloped.
    pub(crate) const fn other(summary: &'static str, media: &'static str, shape: &'static str) -> Self {
        Self::of(summary, Answer::Other(media, shape))
    }
    /// Refuses whatever is asked.
    pub(crate) const fn never(summary: &'static str) -> Self {
        Self::of(summary, Answer::Never)
    }
    /// Takes JSON of a shape.
    pub(crate) const fn json(self, shape: &'static str) -> Self {
        Self { body: Body::Json(shape), ..self }
    }
    /// Takes a JSON Patch.
    pub(crate) const fn patch(self) -> Self {
        Self { body: Body::Patch, ..self }
    }
    /// Takes a form of a shape.
    pub(crate) const fn form(self, shape: &'static str) -> Self {
        Self { body: Body::Form(shape), ..self }
    }
    /// Takes a license file.
    pub(crate) const fn file(self) -> Self {
        Self { body: Body::File, ..self }
    }
    /// Takes more in its query, each with its type; `!` after the name says that it must be there.
    pub(crate) const fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }
    /// May be named by `X-Request-id`.
    pub(crate) const fn named(self) -> Self {
        Self { named: true, ..self }
    }
    /// Is for who has no token yet.
    pub(crate) const fn open(self) -> Self {
        Self { open: true, ..self }
    }

    fn parameters(self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let parameter = |place: &str, name: &str, required: bool, kind: &str| json!({ "in": place, "name": name, "required": required, "schema": schema::of(kind) });
        let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        all.extend(named.map(|name| parameter("path", name, true, "text")));
        for (name, kind) in self.query {
            all.push(parameter("query", name.trim_end_matches('!'), name.ends_with('!'), kind));
        }
        let common: &[&str] = match self.answer {
            Answer::List(_) => &LISTING,
            Answer::One(_) if !self.open => &LISTING[4..],
            _ => &[],
        };
        all.extend(common.iter().map(|name| parameter("query", name, false, name)));
        if self.named {
            all.push(parameter("header", "X-Request-id", false, "uuid"));
        }
        all
    }

    fn body(self) -> Option<Value> {
        let content = match self.body {
            Body::Nothing => return None,
            Body::Json(shape) => json!({ "application/json": { "schema": schema::of(shape) } }),
            Body::Patch => json!({ "application/json": { "schema": schema::of("[@JsonPatch]") } }),
            Body::Form(shape) => json!({ "application/x-www-form-urlencoded": { "schema": schema::of(shape) } }),
            Body::File => json!({ "multipart/form-data": { "schema": schema::of("@LicenseFile") } }),
        };
        Some(json!({ "required": true, "content": content }))
    }

    fn responses(self) -> Value {
        let enveloped = |data: Value, more: &[(&str, Value)]| {
            let mut properties = json!({ "data": data, "errors": schema::of("[@ResponseError]") });
            for (name, schema) in more {
                properties[name] = schema.clone();
            }
            let schema = json!({ "type": "object", "required": ["data", "errors"], "properties": properties });
            json!({ "description": "It was done.", "content": { "application/json": { "schema": schema } } })
        };
        let done = match self.answer {
            Answer::List(shape) => {
                let data = json!({ "type": "array", "items": schema::of(shape) });
                Some(enveloped(data, &[("meta", schema::of("@ResponseMetadata"))]))
            }
            Answer::One(shape) => Some(enveloped(schema::of(shape), &[])),
            Answer::Done => Some(enveloped(json!({ "type": "object" }), &[])),
            Answer::Other(media, shape) => {
                Some(json!({ "description": "It was done.", "content": { media: { "schema": schema::of(shape) } } }))
            }
            Answer::Never => None,
        };
        let refusal = if self.open { "@OAuth2Error" } else { "@ErrorResponse" };
        let refusal = json!({ "application/json": { "schema": schema::of(refusal) } });
        let mut all = json!({ "4XX": { "description": "It was refused, and why.", "content": refusal } });
        if let Some(done) = done {
            all["200"] = done;
        }
        all
    }
}

/// The operations, as they are added.
pub(crate) struct Operations {
    router: Router<Console>,
    paths: Map<String, Value>,
}

impl Operations {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { router: Router::new(), paths: Map::new() }
    }

    /// One more.
    pub(crate) fn on<H, T>(mut self, method: &Method, path: &str, said: Said, handler: H) -> Self
    where
        H: Handler<T, Console>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("a method that axum routes");
        self.router = self.router.route(path, on(filter, handler));
        let tag = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let mut operation = json!({
            "tags": [tag], "summary": said.summary, "parameters": said.parameters(path), "responses": said.responses(),
        });
        if let Some(body) = said.body() {
            operation["requestBody"] = body;
        }
        if said.open {
            operation["security"] = json!([]);
        }
        let item = self.paths.entry(path).or_insert_with(|| json!({}));
        item[method.as_str().to_ascii_lowercase()] = operation;
        self
    }

    pub(crate) fn get<H: Handler<T, Console>, T: 'static>(self, path: &str, said: Said, handler: H) -> Self {
        self.on(&Method::GET, path, said, handler)
    }
    pub(crate) fn post<H: Handler<T, Console>, T: 'static>(self, path: &str, said: Said, handler: H) -> Self {
        self.on(&Method::POST, path, said, handler)
    }
    pub(crate) fn put<H: Handler<T, Console>, T: 'static>(self, path: &str, said: Said, handler: H) -> Self {
        self.on(&Method::PUT, path, said, handler)
    }
    pub(crate) fn patch<H: Handler<T, Console>, T: 'static>(self, path: &str, said: Said, handler: H) -> Self {
        self.on(&Method::PATCH, path, said, handler)
    }
    pub(crate) fn delete<H: Handler<T, Console>, T: 'static>(self, path: &str, said: Said, handler: H) -> Self {
        self.on(&Method::DELETE, path, said, handler)
    }

    /// The routes, and the OpenAPI 3.1 document.
    pub(crate) fn split(self) -> (Router<Console>, Value) {
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Tenure console API",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "What management consoles and their scripts speak; docs/console-api.md says how it differs \
                    from a console of its own.",
            },
            "servers": [{ "url": "/api/v3" }],
            "security": [{ "token": [] }],
            "paths": self.paths,
            "components": {
                "schemas": schema::all(),
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            },
        });
        (self.router, document)
    }
}
