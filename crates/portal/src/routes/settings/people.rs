//! People of the viewer's organization.

use axum::{extract::Path, http::StatusCode, response::Response};
use tenure_core::{
    UserId,
    roles::{Action, Role},
};
use tenure_service::{
    ActorKind, ContentTag, IfMatch, MAX_PAGE, NewPerson, Paging, PersonChange, PersonFilter, ProblemKind,
    create_person, edit_person, end_sessions_of, list_people, person_tag, reset_second_step, send_password_link,
    view_person,
};

use super::{site_choices, site_name, sites, tabs};
use crate::{
    pages::{
        Choice, Notice, Said,
        settings::{People, Person, PersonForm, PersonRow, Secret, Tab},
    },
    present,
    routes::said,
    web::{Fields, Refused, Viewing, back_to, page, page_with},
    words,
};

const HERE: &str = "/settings/people";

/// `GET /settings/people`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    show_list(&viewing, &fields, said(&fields), StatusCode::OK).await
}

async fn show_list(viewing: &Viewing, fields: &Fields, said: Said, status: StatusCode) -> Result<Response, Refused> {
    let paging = Paging { cursor: present::cursor(fields), limit: Some(MAX_PAGE) };
    let actor = viewing.actor();
    let people = list_people(&viewing.service, actor, actor.org, PersonFilter::default(), &paging).await?;
    let sites = sites(viewing).await?;
    let form = viewing.may(Action::ManagePeople, false).then(|| PersonForm {
        idempotency_key: viewing.fresh_key(),
        name: fields.get("name").to_owned(),
        email: fields.get("email").to_owned(),
        roles: roles(viewing, fields.get("role")),
        role_words: grantable(viewing).map(|role| (role.title(), words::role(role))).collect(),
        sites: site_choices(&sites, "None", fields.get("site")),
    });
    let part = People {
        said,
        tabs: tabs(viewing, Tab::People),
        rows: people.items.iter().map(|row| person(viewing, row, &site_name(&sites, row.site))).collect(),
        form,
        next: people.next.map(|cursor| format!("{HERE}?after={cursor}")).unwrap_or_default(),
    };
    page_with(viewing, status, part).await
}

/// Roles the viewer may give. A company's viewer is made with its company.
fn grantable(viewing: &Viewing) -> impl Iterator<Item = Role> {
    let own = viewing.actor().role;
    let fits =
        move |role: &Role| role.org_kind() == own.org_kind() && own.may_grant(*role) && *role != Role::CompanyViewer;
    Role::ALL.iter().copied().filter(fits)
}

fn roles(viewing: &Viewing, wanted: &str) -> Vec<Choice> {
    grantable(viewing).map(|role| Choice::new(role.word(), role.title(), wanted)).collect()
}

fn person(viewing: &Viewing, row: &tenure_service::PersonRow, site: &str) -> PersonRow {
    let may = viewing.may(Action::ManagePeople, false) && viewing.actor().role.may_grant(row.role);
    PersonRow {
        href: if may { format!("{HERE}/{}", row.id) } else { String::new() },
        name: row.name.clone(),
        email: row.email.clone(),
        role: row.role.title(),
        site: site.to_owned(),
        ended: row.disabled,
        is_me: viewing.actor().kind == ActorKind::Person(row.id),
        second_step: row.second_step.is_some(),
    }
}

/// `POST /settings/people`: adds one, and shows the first password this once.
pub(super) async fn create(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let made = async {
        let input = NewPerson {
            org: viewing.actor().org,
            email: fields.get("email").to_owned(),
            name: fields.get("name").to_owned(),
            role: fields.read("role")?,
            site: fields.read_or_none("site")?,
        };
        Ok(create_person(&viewing.service, viewing.actor(), input, Some(fields.idempotency()?)).await?)
    };
    let made: Result<_, Refused> = made.await;
    match made {
        Ok(made) => {
            let part = Secret {
                of: format!("First password of {}", fields.get("name")),
                secret: made.password.to_string(),
                what_to_do:
                    "Hand it over in person or by a way that others cannot read; it can be changed under Your account."
                        .to_owned(),
                back: HERE,
            };
            page(&viewing, part).await
        }
        Err(error) => {
            let (said, status) = super::super::refused(error)?;
            show_list(&viewing, &fields, said, status).await
        }
    }
}

/// `GET /settings/people/{id}`.
pub(super) async fn show(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    show_one(&viewing, parse(&id)?, said(&fields), StatusCode::OK).await
}

async fn show_one(viewing: &Viewing, id: UserId, said: Said, status: StatusCode) -> Result<Response, Refused> {
    if !viewing.may(Action::ManagePeople, false) {
        return Err(ProblemKind::NotFound.into());
    }
    let row = view_person(&viewing.service, viewing.actor(), id).await?;
    let sites = sites(viewing).await?;
    let site = row.site.map(|site| site.to_string()).unwrap_or_default();
    let part = Person {
        said,
        base: format!("{HERE}/{id}"),
        // A company's viewer stays one.
        roles: if row.role == Role::CompanyViewer { Vec::new() } else { roles(viewing, row.role.word()) },
        sites: site_choices(&sites, "None", &site),
        saw: person_tag(&row).to_string(),
        row: person(viewing, &row, &site_name(&sites, row.site)),
    };
    page_with(viewing, status, part).await
}

fn parse(id: &str) -> Result<UserId, Refused> {
    id.parse().map_err(|_| ProblemKind::NotFound.into())
}

async fn after(viewing: &Viewing, id: UserId, done: Result<(), Refused>, notice: Notice) -> Result<Response, Refused> {
    match done {
        Ok(()) => Ok(back_to(&format!("{HERE}/{id}"), notice)),
        Err(error) => {
            let (said, status) = super::super::refused(error)?;
            show_one(viewing, id, said, status).await
        }
    }
}

/// `POST /settings/people/{id}`: name, role and site. What the form does not carry stays.
pub(super) async fn edit(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = async {
        let saw: ContentTag = fields.read("saw")?;
        let role: Option<Role> = fields.read_or_none("role")?;
        let sent_site = fields.0.iter().any(|(name, _)| name == "site");
        let change = PersonChange {
            name: Some(fields.get("name").to_owned()),
            role,
            site: if sent_site { Some(fields.read_or_none("site")?) } else { None },
            active: None,
        };
        edit_person(&viewing.service, viewing.actor(), id, IfMatch::Tag(saw), change).await?;
        Ok(())
    };
    let done: Result<(), Refused> = done.await;
    after(&viewing, id, done, Notice::PersonChanged).await
}

/// `POST /settings/people/{id}/access`: ends or restores it.
pub(super) async fn access(viewing: Viewing, Path(id): Path<String>, fields: Fields) -> Result<Response, Refused> {
    let (id, active) = (parse(&id)?, fields.is_set("active"));
    let change = PersonChange { active: Some(active), ..PersonChange::default() };
    let done = edit_person(&viewing.service, viewing.actor(), id, IfMatch::Any, change).await;
    let notice = if active { Notice::AccessRestored } else { Notice::AccessEnded };
    after(&viewing, id, done.map(|_| ()).map_err(Refused::from), notice).await
}

/// `POST /settings/people/{id}/password-link`.
pub(super) async fn password_link(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = send_password_link(&viewing.service, viewing.actor(), id).await;
    after(&viewing, id, done.map(|_| ()).map_err(Refused::from), Notice::PasswordLinkSent).await
}

/// `POST /settings/people/{id}/sign-out`: ends all of a person's sessions.
pub(super) async fn sign_out(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = end_sessions_of(&viewing.service, viewing.actor(), id).await.map_err(Refused::from);
    after(&viewing, id, done, Notice::PersonSignedOut).await
}

/// `POST /settings/people/{id}/second-step`: removes it, for who lost app and recovery codes.
pub(super) async fn second_step(viewing: Viewing, Path(id): Path<String>) -> Result<Response, Refused> {
    let id = parse(&id)?;
    let done = reset_second_step(&viewing.service, viewing.actor(), id).await.map_err(Refused::from);
    after(&viewing, id, done, Notice::SecondStepReset).await
}
