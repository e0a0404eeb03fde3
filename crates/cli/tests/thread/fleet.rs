//! Real agents that join with the enroll token of their fleet (A3).

use serde_json::{Value, json};
use tenure_sim::{api::Api, world};

use crate::support::{
    market::Deployment,
    process::{json as read_json, output, run, tenure},
};

#[test]
fn a3_real_agents_join_with_a_token_and_one_above_the_limit_waits() {
    let mut deployment = Deployment::new();
    let server = deployment.serve("127.0.0.1:0");
    let url = server.url();
    drop(deployment.join(&url, 1));
    let (api, session) = (Api::new(&url), deployment.session(&url));
    let licenses: Value = api.get(&session, "/api/v1/licenses").expect("licenses");
    let path = format!("/api/v1/licenses/{}/enroll-tokens", licenses["items"][0]["id"].as_str().expect("an id"));
    let token = json!({
        "name": "fleet", "servers": 5, "license_limit": 2, "networks": ["127.0.0.0/8"],
        "expires_at": "2026-01-12T09:00:00Z",
    });
    let token: Value = api.post(&session, &path, &token).expect("a token");
    let token = world::text(&token, "token").expect("the token");
    let agent = |name: &str, args: &[&str]| {
        let mut command = tenure();
        command.arg("agent").args(args).arg("--data-dir").arg(deployment.path(name));
        command.arg("--test-clock").arg(deployment.clock_file());
        command
    };
    let init = |name: &str| {
        let args = ["init", "--server", &url, "--product", "file-backup", "--code", &token];
        let mut command = agent(name, &args);
        command.arg("--root").arg(deployment.path("root.json"));
        command
    };
    run(&mut init("first"));

    let waits = output(&mut init("second"));
    let why = String::from_utf8_lossy(&waits.stderr).into_owned();
    assert_eq!(waits.status.code(), Some(1), "{why}");
    assert!(why.contains("This server waits for approval"), "{why}");
    let list: Value = api.get(&session, &path).expect("the tokens");
    let applicant = list["applicants"][0]["id"].as_str().expect("one waits");
    assert_eq!(list["applicants"][0]["address"], "127.0.0.1");
    let _: Value = api.post(&session, &format!("/api/v1/applicants/{applicant}/admit"), &json!({})).expect("admitted");
    run(&mut init("second"));
    let status = read_json(&run(&mut agent("second", &["status", "--json"])));
    assert_eq!(status["state"], "Valid", "{status}");
}
