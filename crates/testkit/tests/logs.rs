//! The log: one operation id that a user sees on an error and that is found there, and nothing that is nobody's business.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tenure_server::{LogFormat, subscriber};
use tenure_testkit::TestApp;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// The log in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while it is held").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("nobody panics while it is held").clone()).expect("UTF-8")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_is_found_by_the_operation_id_that_its_user_sees() {
    let log = Lines::default();
    let subscriber = subscriber(LogFormat::Json, EnvFilter::new("debug"), log.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    let app = TestApp::new("2026-01-05T09:00:00Z").await;
    let sign_in = json!({"email": app.admin_email, "password": app.admin_password});
    let session = app.post("", "/api/v1/sign-in", sign_in).await.expect(200).json();
    let session = session["token"].as_str().expect("a token").to_owned();
    app.service.store().close().await;
    let refused = app.get(&session, "/api/v1/catalog").await.expect(503);
    let seen = refused.json()["operation"].as_str().expect("an operation").to_owned();
    assert_eq!(refused.headers["x-operation-id"], seen.as_str());
    let page = app
        .send(
            axum::http::Request::get("/home")
                .header("cookie", format!("tenure={session}"))
                .body("".into())
                .expect("a request"),
        )
        .await;
    let page = page.expect(503);
    let on_page = page.headers["x-operation-id"].to_str().expect("text").to_owned();
    assert!(page.text().contains(&on_page), "a page says it too: {}", page.text());

    let text = log.text();
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    for operation in [&seen, &on_page] {
        let of_it = lines.iter().filter(|line| line["span"]["operation.id"] == **operation);
        let errors: Vec<_> = of_it.filter(|line| line["level"] == "ERROR").collect();
        assert_eq!(errors.len(), 1, "an error is logged once, where it is handled: {errors:?}");
        assert_eq!(errors[0]["problem.kind"], "storage-failed");
        assert!(errors[0]["span"]["http.route"].as_str().is_some_and(|route| route.starts_with('/')));
    }
    for private in [session.as_str(), &app.admin_password, &app.admin_email] {
        assert!(!text.contains(private), "the log holds {private}");
    }
}
