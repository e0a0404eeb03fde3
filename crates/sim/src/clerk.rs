//! The market's people at work over the provider API: they answer, submit, approve.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tenure_core::Period;
use ureq::http::Method;

use crate::{
    api::Api,
    fleet::People,
    world::{Provider, SignInCard, sign_in, text},
};

/// People who do what has to be done, no more.
pub struct Clerks<'a> {
    /// The server.
    pub api: &'a Api,
    /// The catalog, for what is entered by hand.
    pub catalog: &'a Value,
}

impl People for Clerks<'_> {
    fn review(&self, provider: &Provider, period: Period) -> Result<()> {
        let session = sign_in(self.api, &provider.admin.email, &provider.admin.password)?;
        let path = format!("/api/v1/monthly-usages/{period}");
        let month: Value = self.api.get(&session, &path)?;
        for installation in list(&month, "installations")? {
            if matches!(installation["source"].as_str(), Some("missing" | "clone")) {
                let answer = format!("{path}/answers/{}", text(installation, "id")?);
                // Who sent no weekly figure is taken for unused, which may be wrong.
                let unused = list(installation, "suggested")?.is_empty();
                let body = if unused { json!({"figures": []}) } else { json!({"suggested": true}) };
                let _: Value = self.api.put(&session, &answer, &body)?;
            }
        }
        for (n, license) in list(&month, "by_hand")?.iter().enumerate() {
            self.enter(&session, &path, license, n)?;
        }
        for (card, site) in provider.locations.iter().zip(&provider.sites) {
            let location = sign_in(self.api, &card.email, &card.password)?;
            let _: Value = act(self.api, &location, &path, &format!("parts/{site}/submit"), &json!({}))?;
        }
        let _: Value = act(self.api, &session, &path, "submit", &json!({}))?;
        Ok(())
    }

    fn decide(&self, distributor: &SignInCard, period: Period, doubtful: Option<&Provider>) -> Result<()> {
        let session = sign_in(self.api, &distributor.email, &distributor.password)?;
        let queue: Value = self.api.get(&session, "/api/v1/my-actions")?;
        for item in list(&queue, "items")? {
            let due = text(item, "period")?.parse::<Period>()? <= period;
            if item["action"] == "decide" && due && item["submission"]["needs_consent"] == false {
                let path = format!("/api/v1/monthly-usages/{}", text(item, "id")?);
                let is_doubtful = doubtful.is_some_and(|provider| item["provider"]["id"] == *provider.org);
                let _: Value = if is_doubtful {
                    let reason = json!({"reason": "The server of Contoso AG is not in it. Add what it used."});
                    act(self.api, &session, &path, "reject", &reason)?
                } else {
                    act(self.api, &session, &path, "approve", &json!({}))?
                };
            }
        }
        Ok(())
    }
}

impl Clerks<'_> {
    fn enter(&self, session: &str, path: &str, license: &Value, n: usize) -> Result<()> {
        let id = &license["product"]["id"];
        let product = list(self.catalog, "products")?
            .iter()
            .find(|product| product["id"] == *id)
            .with_context(|| format!("{id} is in the catalog"))?;
        let workload = list(product, "workloads")?.first().context("a product has workload types")?;
        let line = json!({
            "product": id,
            "workload": workload["code"],
            "variant": workload["variant"],
            "count": 5 + n,
            "license": license["id"],
        });
        let _: Value = self.api.post(session, &format!("{path}/manual-lines"), &line)?;
        Ok(())
    }
}

/// Does `what` to the month at `path`, and names the lines it saw, as submitting and deciding must.
///
/// # Errors
/// When the server refuses.
pub fn act(api: &Api, session: &str, path: &str, what: &str, body: &Value) -> Result<Value> {
    let seen = api.get_tagged::<Value>(session, path)?;
    let etag = seen.etag.context("a month has an entity tag")?;
    let headers = [("if-match", etag.as_str())];
    Ok(api.send(Method::POST, session, &format!("{path}/{what}"), Some(body), &headers)?.body)
}

fn list<'a>(json: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    json[name].as_array().with_context(|| format!("no {name} in {json}"))
}
