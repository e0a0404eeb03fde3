//! The unkind program: two distributors, providers that all carry one name, two sites of one name, companies of one name,
//! licenses, servers and months of each; and everybody who could come to the door.

use std::{collections::BTreeMap, fmt};

use tenure_testkit::TestApp;

use super::table::GROUPS;

use super::maker::{Maker, SignIn};

pub(super) const START: &str = "2025-12-10T00:00:00Z";

/// Values for the names in the table's rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Things(BTreeMap<String, String>);

impl Things {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
    pub(super) fn set(&mut self, name: &str, value: impl fmt::Display) {
        self.0.insert(name.to_owned(), value.to_string());
    }
    /// Those that are ids, as `lic_0191f3c4-...`.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str).filter(|value| value.len() > 36 && value.contains('_'))
    }
}

/// Somebody with a token.
pub(super) struct Principal {
    pub(super) group: usize,
    /// Its place in the group's letters.
    pub(super) at: usize,
    pub(super) token: String,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, letters) = GROUPS[self.group];
        let is_token = matches!(&letters[self.at..=self.at], "r" | "m" | "p") && letters[self.at..].len() <= 3;
        let kind = if is_token { "token" } else { "person" };
        write!(f, "{name}'s {kind} `{}`", &letters[self.at..=self.at])
    }
}

/// The program and everybody in it.
pub(super) struct Scene {
    pub(super) app: TestApp,
    /// What the rows name.
    pub(super) own: Things,
    /// The same names at another site of the same provider, at another provider of the same distributor, and at one that
    /// has nothing to do with it.
    pub(super) other_site: Things,
    pub(super) sibling: Things,
    pub(super) stranger: Things,
    pub(super) principals: Vec<Principal>,
    /// Who is nobody, and the token it shows.
    pub(super) nobodies: Vec<(&'static str, Option<String>)>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let app = TestApp::new(START).await;
        let admin = SignIn { email: app.admin_email.clone(), password: app.admin_password.clone() };
        let mut maker = Maker { vendor: String::new(), people: 0, app };
        maker.vendor = maker.session(&admin).await;
        let first = maker.organization("distributor", "Lakeside Distribution").await;
        let second = maker.organization("distributor", "Lakeside Distribution").await;
        let asker = maker.asker().await;
        let mut tenants = Vec::new();
        for distributor in [&first, &first, &second] {
            let mut tenant = maker.tenant(distributor).await;
            for things in &mut tenant.things {
                things.set("asker", &asker);
            }
            tenants.push(tenant);
        }
        let mut vendors = BTreeMap::from([('a', admin)]);
        let vendor = maker.app.vendor.to_string();
        for (letter, role) in [('c', "vendor_catalog"), ('s', "vendor_support"), ('u', "vendor_auditor")] {
            vendors.insert(letter, maker.person(&vendor, role, None).await);
        }
        let mut distributors = Vec::new();
        for distributor in [&first, &second] {
            distributors.push(maker.distributor_people(distributor).await);
        }
        maker.live(&mut tenants, &vendors[&'a'].clone()).await;
        let (principals, nobodies) = maker.everybody(&vendors, &distributors, &tenants).await;
        let mut things = tenants.into_iter().map(|tenant| tenant.things);
        let mut next = || things.next().expect("three tenants");
        let ([own, other_site], [sibling, _], [stranger, _]) = (next(), next(), next());
        Self { app: maker.app, own, other_site, sibling, stranger, principals, nobodies }
    }

    /// Instead of a thing that is hidden one that does not exist, in its form.
    pub(super) fn absent(&self, name: &str, hidden: &[&str]) -> Option<String> {
        let value = self.own.get(name)?;
        match value.split_once('_') {
            Some((prefix, _)) if hidden.contains(&value.as_str()) => {
                Some(format!("{prefix}_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f"))
            }
            _ => Some(value),
        }
    }

    /// Ids of what a principal must not be shown.
    pub(super) fn hidden_from(&self, principal: &Principal) -> impl Iterator<Item = &str> {
        let all = [&self.own, &self.other_site, &self.sibling, &self.stranger];
        let seen: &[usize] = match principal.group {
            0 => &[0, 1, 2, 3],
            1 => &[0, 1, 2],
            2 => &[0, 1],
            3 | 5 => &[0],
            4 | 6 => &[1],
            7 => &[2],
            _ => &[3],
        };
        let visible: Vec<&str> = seen.iter().flat_map(|at| all[*at].ids()).collect();
        all.into_iter().flat_map(Things::ids).filter(move |id| !visible.contains(id))
    }
}
