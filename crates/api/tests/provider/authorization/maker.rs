//! Makes the scene: organizations, people, licenses, servers and months, over the API where the API can.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};
use tenure_core::{InstallationId, Rng, Timestamp};
use tenure_license::{ReportStage, SigningKey};
use tenure_service::password_link_secret;
use tenure_store::{
    Queue, Tx,
    rows::held_installation::{self, HeldRow},
};
use tenure_testkit::{TestApp, TestInstallation};

use super::table::GROUPS;

use super::scene::{Principal, START, Things};

const NAME: &str = "Northlight Hosting";

/// A provider with two sites.
pub(super) struct Tenant {
    pub(super) provider: String,
    /// Manage token of the whole provider.
    pub(super) token: String,
    /// Sign-ins by letter; `l` is of the first site, `L` of the second.
    pub(super) people: BTreeMap<char, SignIn>,
    /// The things of each site.
    pub(super) things: [Things; 2],
    /// A server of each site that reports.
    pub(super) servers: Vec<TestInstallation>,
}

#[derive(Clone)]
pub(super) struct SignIn {
    pub(super) email: String,
    pub(super) password: String,
}

const PEOPLE: &[(char, &str)] = &[
    ('f', "provider_full_access"),
    ('p', "provider_primary"),
    ('r', "provider_read_only"),
    ('l', "provider_location"),
    ('L', "provider_location"),
];

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

/// Makes the scene, over the API where the API can.
pub(super) struct Maker {
    pub(super) app: TestApp,
    /// The vendor's administrator's session.
    pub(super) vendor: String,
    pub(super) people: u32,
}

impl Maker {
    async fn post(&self, token: &str, path: &str, body: Value) -> Value {
        let answer = self.app.post(token, &format!("/api/v1/{path}"), body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    async fn get(&self, token: &str, path: &str) -> (Value, Option<String>) {
        let answer = self.app.get(token, &format!("/api/v1/{path}")).await.expect(200);
        let tag = answer.headers.get("etag").map(|tag| tag.to_str().expect("a tag").to_owned());
        (answer.json(), tag)
    }

    pub(super) async fn session(&self, who: &SignIn) -> String {
        let body = json!({"email": who.email, "password": who.password});
        text(&self.post("", "sign-in", body).await, "token")
    }

    async fn token(&self, session: &str, scope: &str, site: Option<&str>, ends: Timestamp) -> (String, String) {
        let body = json!({"name": "script", "scope": scope, "site": site, "expires_at": ends});
        let made = self.post(session, "tokens", body).await;
        (text(&made, "token"), text(&made, "id"))
    }

    pub(super) async fn organization(&self, kind: &str, name: &str) -> String {
        text(&self.post(&self.vendor, "organizations", json!({"kind": kind, "name": name})).await, "id")
    }

    pub(super) async fn person(&mut self, org: &str, role: &str, site: Option<&str>) -> SignIn {
        self.people += 1;
        let email = format!("p{}@people.example", self.people);
        let body = json!({"email": email, "name": "Ann", "role": role, "site": site});
        let made = self.post(&self.vendor, &format!("organizations/{org}/people"), body).await;
        SignIn { email, password: text(&made, "password") }
    }

    pub(super) async fn distributor_people(&mut self, org: &str) -> BTreeMap<char, SignIn> {
        let mut people = BTreeMap::new();
        for (letter, role) in
            [('a', "distributor_administrator"), ('p', "distributor_approver"), ('r', "distributor_read_only")]
        {
            people.insert(letter, self.person(org, role, None).await);
        }
        people
    }

    /// A provider that asked for automatic reporting and waits.
    pub(super) async fn asker(&mut self) -> String {
        let provider = self.organization("provider", NAME).await;
        let person = self.person(&provider, "provider_full_access", None).await;
        let session = self.session(&person).await;
        self.post(&session, "enrollment", json!({"requirements_confirmed": true})).await;
        provider
    }

    /// A provider with an agreement, people, two sites, and a company, a template and a licensed server at each.
    pub(super) async fn tenant(&mut self, distributor: &str) -> Tenant {
        let provider = self.organization("provider", NAME).await;
        let agreement = json!({
            "distributor": distributor, "provider": provider, "number": "RA-1", "kind": "volume", "commit": "0",
            "signed_at": START, "ends_at": "2029-01-01T00:00:00Z",
        });
        let agreement = text(&self.post(&self.vendor, "agreements", agreement).await, "id");
        let mut sites = Vec::new();
        for _ in 0..2 {
            let path = format!("organizations/{provider}/sites");
            sites.push(text(&self.post(&self.vendor, &path, json!({"name": "Kiel"})).await, "id"));
        }
        let mut people = BTreeMap::new();
        for (letter, role) in PEOPLE {
            let site = match letter {
                'l' => Some(sites[0].as_str()),
                'L' => Some(sites[1].as_str()),
                _ => None,
            };
            people.insert(*letter, self.person(&provider, role, site).await);
        }
        let session = self.session(&people[&'f']).await;
        let ends = "2027-06-01T00:00:00Z".parse().expect("an instant");
        let token = self.token(&session, "manage", None, ends).await.0;
        self.post(&token, "enrollment", json!({"requirements_confirmed": true})).await;
        self.post(&self.vendor, &format!("enrollment/{provider}/decision"), json!({"approve": true})).await;
        let mut tenant = Tenant { token, people, things: Default::default(), servers: Vec::new(), provider };
        for (at, site) in sites.iter().enumerate() {
            let things = &mut tenant.things[at];
            for (name, value) in [("provider", &tenant.provider), ("agreement", &agreement), ("site", site)] {
                things.set(name, value);
            }
            things.set("distributor", distributor);
            things.set("email", &tenant.people[&'r'].email);
            things.set("password", &tenant.people[&'r'].password);
            things.set("format", "json");
            things.set("workload", "vm");
            things.set("agents", "server");
            things.set("variant", "application");
            self.company(&tenant.token, things).await;
            let viewer = self.viewer(&session, things).await;
            tenant.people.insert(if at == 0 { 'v' } else { 'V' }, viewer);
            let server = self.server(&tenant.token, things).await;
            things.set("installation", server.ins);
            tenant.servers.push(server);
        }
        tenant
    }

    /// A viewer of the company.
    async fn viewer(&mut self, session: &str, things: &Things) -> SignIn {
        self.people += 1;
        let email = format!("v{}@people.example", self.people);
        let path = format!("companies/{}/viewers", things.get("company").expect("a company"));
        let made = self.post(session, &path, json!({"email": email, "name": "Ann"})).await;
        SignIn { email, password: text(&made, "password") }
    }

    /// A company with a template and an automatic license.
    async fn company(&self, token: &str, things: &mut Things) {
        let site = things.get("site");
        let company = self.post(token, "companies", json!({"name": "Contoso AG", "site": site})).await;
        let (catalog, _) = self.get(token, "catalog").await;
        let find = |key: &str, value: &str| {
            let found = catalog["products"].as_array().expect("products").iter().find(|one| one[key] == value);
            text(found.expect("the product"), "id")
        };
        let product = find("edition", "Enterprise");
        let license = |automatic: bool| {
            json!({
                "agreement": things.get("agreement"), "product": product, "usage_type": "single_customer",
                "site": site, "automatic_reporting": automatic, "expires_on": "2027-12-31",
                "workloads": [{"workload": "vm", "count": 30}],
            })
        };
        let template = text(&self.post(token, "licenses", license(false)).await, "id");
        let mut assigned = license(true);
        assigned["company"] = company["id"].clone();
        let assigned = self.post(token, "licenses", assigned).await;
        things.set("product", &product);
        things.set("manual-product", find("code", "monitoring"));
        things.set("company", text(&company, "id"));
        things.set("template", template);
        things.set("license", text(&assigned, "license"));
    }

    /// A server that activated the license now.
    async fn server(&self, token: &str, things: &Things) -> TestInstallation {
        let path = format!("licenses/{}/download", things.get("license").expect("a license"));
        let code = text(&self.post(token, &path, json!({})).await, "activation_code");
        TestInstallation::activate(&self.app, &code, "backup-server", "backup.contoso.example").await
    }

    /// December is closed, January submitted; in February a second server joins at each site, and never reports.
    pub(super) async fn live(&mut self, tenants: &mut [Tenant], admin: &SignIn) {
        for (month, reported, submitted) in [
            ("2025-12", "2026-01-03T10:00:00Z", "2026-01-04T10:00:00Z"),
            ("2026-01", "2026-02-03T10:00:00Z", "2026-02-04T10:00:00Z"),
        ] {
            self.report(tenants, month, reported).await;
            self.at(submitted).await;
            for tenant in &*tenants {
                self.submit(tenant, month).await;
            }
        }
        self.vendor = self.session(admin).await;
        for tenant in &mut *tenants {
            let (closed, tag) = self.get(&tenant.token, "monthly-usages/2025-12").await;
            let id = text(&closed, "id");
            let path = format!("/api/v1/monthly-usages/{id}/close");
            let body = json!({"reason": "The distributor is away."});
            let tag = tag.expect("a tag");
            let headers = [("if-match", tag.as_str())];
            let close = self.app.call(Method::POST, &path, Some(&self.vendor), Some(body), &headers);
            let _ = close.await.expect(204);
            for things in &mut tenant.things {
                things.set("closed", &id);
                let silent = self.server(&tenant.token, things).await;
                things.set("silent", silent.ins);
            }
        }
        self.report(tenants, "2026-02", "2026-03-03T10:00:00Z").await;
        self.at("2026-03-04T10:00:00Z").await;
        self.vendor = self.session(admin).await;
        for tenant in &mut *tenants {
            self.months(tenant).await;
            self.people(tenant).await;
            self.files(tenant);
            self.held(tenant).await;
            self.applicants(tenant).await;
        }
    }

    async fn at(&self, instant: &str) {
        self.app.clock.set(instant);
        self.app.run_jobs().await;
    }

    /// Each server that reports does.
    async fn report(&self, tenants: &mut [Tenant], month: &str, at: &str) {
        self.at(at).await;
        for server in tenants.iter_mut().flat_map(|tenant| &mut tenant.servers) {
            let report = server.report(month.parse().expect("a month"), 1, ReportStage::Final, FIGURES);
            let report = server.sign_report(&report);
            server.check_in(&self.app, vec![report]).await;
        }
    }

    /// Both sites submit their parts, then the provider its month.
    async fn submit(&self, tenant: &Tenant, month: &str) {
        for (letter, things) in ['l', 'L'].iter().zip(&tenant.things) {
            let session = self.session(&tenant.people[letter]).await;
            let site = things.get("site").expect("a site");
            self.post(&session, &format!("monthly-usages/{month}/parts/{site}/submit"), json!({})).await;
        }
        let primary = self.session(&tenant.people[&'p']).await;
        let (_, tag) = self.get(&primary, &format!("monthly-usages/{month}")).await;
        let tag = tag.expect("a tag");
        let path = format!("/api/v1/monthly-usages/{month}/submit");
        let headers = [("if-match", tag.as_str())];
        let submit = self.app.call(Method::POST, &path, Some(&primary), Some(json!({})), &headers);
        let _ = submit.await.expect(200);
    }

    /// February has a line by hand, raised figures, and an answer for the silent server.
    async fn months(&self, tenant: &mut Tenant) {
        let token = &tenant.token;
        for things in &mut tenant.things {
            let thing = |name: &str| things.get(name).expect("a thing");
            let line = json!({
                "product": thing("manual-product"), "workload": "monitored", "count": 3, "site": thing("site"),
            });
            let line = text(&self.post(token, "monthly-usages/2026-02/manual-lines", line).await, "id");
            for (path, body) in [
                (format!("adjustments/{}/vm", thing("installation")), json!({"count": 24})),
                (format!("adjustments/{}/server/application", thing("installation")), json!({"count": 7})),
                (format!("answers/{}", thing("silent")), json!({"figures": []})),
            ] {
                let path = format!("/api/v1/monthly-usages/2026-02/{path}");
                let put = self.app.call(Method::PUT, &path, Some(token), Some(body), &[]);
                let _ = put.await.expect(204);
            }
            things.set("line", line);
        }
        let primary = self.session(&tenant.people[&'p']).await;
        let closed = tenant.things[0].get("closed").expect("a month");
        for things in &mut tenant.things {
            let correction = json!({
                "product": things.get("product"), "workload": "vm", "license": things.get("license"), "delta": 1,
                "note": "Counted late.",
            });
            let made = self.post(&primary, &format!("monthly-usages/{closed}/corrections"), correction).await;
            things.set("correction", text(&made, "id"));
        }
        for (name, month) in [("submitted", "2026-01"), ("month", "2026-02")] {
            let (found, tag) = self.get(token, &format!("monthly-usages/{month}")).await;
            for things in &mut tenant.things {
                things.set(name, text(&found, "id"));
                things.set(&format!("{name}-tag"), tag.as_ref().expect("a tag"));
            }
            for things in &mut tenant.things {
                things.set("period", month);
                // A line of the site's own license: those of both sites stand in the order of their ids.
                let license = things.get("license").expect("a license");
                let mut lines = found["lines"].as_array().expect("lines").iter();
                let line = lines.find(|line| line.to_string().contains(&license)).expect("its line");
                things.set("tagged-line", text(line, "tag"));
            }
        }
    }

    /// The next request of each site's server, in a file. The table writes JSON, so its lines end as JSON says it.
    fn files(&self, tenant: &mut Tenant) {
        for (things, server) in tenant.things.iter_mut().zip(&mut tenant.servers) {
            let request = server.request(&*self.app.rng, self.app.service.now(), &[]);
            let body = server.exchange(&request, Vec::new());
            things.set("request-file", server.request_file(&self.app, body).replace('\n', "\\n"));
        }
    }

    /// A server of the provider that a restore lost, as far as a person sees it.
    async fn held(&self, tenant: &mut Tenant) {
        let (app, server) = (&self.app, &tenant.servers[0]);
        let (provider, now) = (tenant.provider.parse().expect("an id"), app.service.now());
        let id = InstallationId::generate(now, &*app.rng);
        let row = HeldRow {
            installation: id,
            provider,
            license: server.license,
            public_key: *server.key.public().as_bytes(),
            answer: server.activation.to_json(),
            request: "{}".to_owned(),
            name: "bkp-99".to_owned(),
            first: now,
            seen: now,
            confirmed: None,
            refused: None,
        };
        let hold = async move |tx: &mut Tx| held_installation::upsert(tx, &row).await;
        app.service.store().write(Queue::Jobs, hold).await.expect("it is held");
        for things in &mut tenant.things {
            things.set("held", id);
        }
    }

    /// At each site an enroll token, and a server that waits because the license has enough.
    async fn applicants(&self, tenant: &mut Tenant) {
        for things in &mut tenant.things {
            let path = format!("licenses/{}/enroll-tokens", things.get("license").expect("a license"));
            let ends = self.app.service.now().plus_days(7);
            let body = json!({
                "name": "fleet", "servers": 2, "license_limit": 1, "networks": ["10.0.0.0/8"], "expires_at": ends,
            });
            let made = self.post(&tenant.token, &path, body).await;
            let key = SigningKey::generate(&*self.app.rng);
            let (token, product) = (text(&made, "token"), "backup-server");
            let asked = TestInstallation::try_activate_from(&self.app, "10.0.0.7", &key, &token, product, "bkp-77");
            assert_eq!(asked.await.problem(), "approval-awaited");
            let list = self.get(&tenant.token, &path).await.0;
            things.set("enroll-token", text(&made, "id"));
            things.set("applicant", text(&list["applicants"][0], "id"));
        }
    }

    /// A session and a link for a new password of somebody, a token, and the tags of what can be changed.
    async fn people(&self, tenant: &mut Tenant) {
        let full = self.session(&tenant.people[&'f']).await;
        let reader = self.session(&tenant.people[&'r']).await;
        let session = text(&self.get(&reader, "me/sessions").await.0["items"][0], "id");
        let person = text(&self.get(&reader, "me").await.0, "person");
        self.post(&full, &format!("people/{person}/password-link"), json!({})).await;
        let secret = self.link(&person).await;
        let ends = self.app.service.now().plus_days(300);
        for things in &mut tenant.things {
            let token = self.token(&full, "read", things.get("site").as_deref(), ends).await.1;
            for (name, value) in [("session", &session), ("person", &person), ("secret", &secret), ("token", &token)] {
                things.set(name, value);
            }
            things.set("number", 1);
            things.set("period", "2026-02");
            let (provider, site) = (things.get("provider"), things.get("site"));
            let (provider, site) = (provider.expect("a provider"), site.expect("a site"));
            let company = things.get("company").expect("a company");
            let (agreement, product) = (things.get("agreement"), things.get("product"));
            for (name, path) in [
                ("agreement-tag", format!("agreements/{}", agreement.expect("an agreement"))),
                ("product-tag", format!("products/{}", product.expect("a product"))),
                ("company-tag", format!("companies/{company}")),
                ("provider-tag", format!("organizations/{provider}")),
                ("site-tag", format!("organizations/{provider}/sites/{site}")),
                ("person-tag", format!("people/{person}")),
            ] {
                if let (_, Some(tag)) = self.get(&full, &path).await {
                    things.set(name, tag);
                }
            }
        }
    }

    /// The secret of the link that was sent to a person.
    async fn link(&self, person: &str) -> String {
        let mut read = self.app.service.store().read().await.expect("a snapshot");
        let far = "2100-01-01T00:00:00Z".parse().expect("an instant");
        let pending = tenure_store::outbox::pending(&mut read, far, 500).await.expect("the outbox");
        let mut sent = pending.iter().filter(|one| one.kind == "person.password_link" && one.to == person);
        let sent = sent.next_back().expect("a message");
        password_link_secret(&self.app.service, &sent.body).expect("a secret").to_string()
    }

    /// Everybody's tokens, made now; and those of nobody.
    pub(super) async fn everybody(
        &mut self,
        vendors: &BTreeMap<char, SignIn>,
        distributors: &[BTreeMap<char, SignIn>],
        tenants: &[Tenant],
    ) -> (Vec<Principal>, Vec<(&'static str, Option<String>)>) {
        let (own, sibling, stranger) = (&tenants[0], &tenants[1], &tenants[2]);
        let sites: Vec<String> = own.things.iter().map(|things| things.get("site").expect("a site")).collect();
        let at = |letter: char| BTreeMap::from([(letter.to_ascii_lowercase(), own.people[&letter].clone())]);
        let whole = |tenant: &Tenant| tenant.people.clone();
        let groups = [
            (vendors.clone(), 'a', None),
            (distributors[0].clone(), 'a', None),
            (whole(own), 'f', None),
            (at('l'), 'f', Some(sites[0].as_str())),
            (at('L'), 'f', Some(sites[1].as_str())),
            (at('v'), 'v', None),
            (at('V'), 'v', None),
            (whole(sibling), 'f', None),
            (whole(stranger), 'f', None),
            (distributors[1].clone(), 'a', None),
        ];
        let ends = self.app.service.now().plus_days(300);
        let mut principals = Vec::new();
        for (group, (mut people, administrator, site)) in groups.into_iter().enumerate() {
            let letters = GROUPS[group].1;
            if site.is_some() {
                people.insert('f', own.people[&'f'].clone());
            }
            let tokens_from = letters.find("rmp").unwrap_or(letters.len());
            let session = self.session(&people[&administrator]).await;
            for (at, letter) in letters.chars().enumerate() {
                let token = match letter {
                    _ if at < tokens_from => self.session(&people[&letter]).await,
                    'r' => self.token(&session, "read", site, ends).await.0,
                    'm' => self.token(&session, "manage", site, ends).await.0,
                    _ => self.token(&session, "report", site, ends).await.0,
                };
                principals.push(Principal { group, at, token });
            }
        }
        let session = self.session(&own.people[&'f']).await;
        let soon = self.app.service.now().plus_secs(1);
        let expired = self.token(&session, "manage", None, soon).await.0;
        self.app.clock.advance_secs(1);
        let mut invented = [0; 24];
        self.app.rng.fill(&mut invented);
        let nobodies = vec![
            ("nobody", None),
            ("an expired token", Some(expired)),
            ("an invented token", Some(format!("tnr_{}", tenure_store::hex(&invented)))),
            ("an invented session", Some(format!("tns_{}", tenure_store::hex(&invented)))),
        ];
        (principals, nobodies)
    }
}

/// What each server counts.
const FIGURES: &[(&str, &str, u32, u32)] = &[("vm", "", 20, 0), ("server", "application", 5, 0)];
