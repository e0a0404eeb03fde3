//! Request files that people carry from products without a network, and the answers they carry back (A9, A10, C12).
//!
//! A file is taken by the same use cases as what comes over HTTP; here it is only opened, its bearer is authorized, and the
//! answer is wrapped. Who may not write to the installation's provider learns nothing of it.

use serde_json::json;
use tenure_core::{InstallationId, LicenseId, OrgId, SiteId, Timestamp, roles::Action};
use tenure_license::{
    ActivationCode, ActivationExchange, ActivationRequest, Envelope, Exchange, Hash, KeyId, OfflineAnswer, OfflineAsk,
    OfflineFile, OfflineReply, OfflineRequest, OfflineResponse, Payload, PublicKey, Verified, armor, decode_payload,
    encode_payload, offline::MAX_ROOTS, offline_body, verify_activation, verify_with_key,
};
use tenure_store::{
    Conn, Queue,
    rows::{enroll, installation, license, server},
};

use crate::{
    Actor, CarriedDocument, CheckInReply, Error, Foreseen, ProblemKind, Result, Service, activate_installation,
    activation::admit,
    authorize::{at_home, at_provider, sees_site},
    change,
    check_in::{self, Sender},
    root_version,
};

/// What a request file asks for, and what taking it would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflinePreview {
    /// It asks to join; otherwise it is a check-in.
    pub is_activation: bool,
    /// The provider it belongs to.
    pub provider: OrgId,
    /// The installation; none while it only asks to join.
    pub installation: Option<InstallationId>,
    /// The license it holds or asks for.
    pub license: LicenseId,
    /// Host name it tells; empty when this database lost the installation.
    pub host: String,
    /// When the file was made, by the product's clock.
    pub made: Timestamp,
    /// The documents inside.
    pub documents: Vec<CarriedDocument>,
    /// What would become of it.
    pub foreseen: Foreseen,
}

/// An answer to carry back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineAnswerFile {
    /// A name for the file.
    pub file_name: String,
    /// The armored file, to be imported where the request was made.
    pub content: String,
    /// The product is out of step: it imports this and makes another request file, which settles it.
    pub needs_another: bool,
}

/// A file that holds together: cover and body are of one making.
struct Opened {
    cover: Verified<OfflineRequest>,
    /// The key that signed the cover, and that must import the answer.
    key: KeyId,
    ask: Ask,
}

enum Ask {
    Activation { body: ActivationExchange, request: Box<Verified<ActivationRequest>>, code: installation::CodeRow },
    CheckIn { body: Box<Exchange>, sender: Sender },
}

impl Ask {
    fn owner(&self) -> (OrgId, LicenseId) {
        match self {
            Self::Activation { code, .. } => (code.provider, code.license),
            Self::CheckIn { sender, .. } => (sender.provider, sender.license),
        }
    }
    fn installation(&self) -> Option<InstallationId> {
        match self {
            Self::Activation { code, .. } => code.installation,
            Self::CheckIn { sender, .. } => Some(sender.installation),
        }
    }
}

/// Says what a request file holds and what taking it would come to. Changes nothing, whatever is in it.
pub async fn preview_offline_request(service: &Service, actor: &Actor, text: &str) -> Result<OfflinePreview> {
    let mut read = service.store().read().await?;
    at_home(&mut read, actor, Action::View).await?;
    drop(read);
    let opened = open(service, text).await?;
    let (provider, license) = opened.ask.owner();
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, provider, Action::View).await?;
    within_site(&mut read, actor, &opened.ask).await?;
    drop(read);
    let (installation, made) = (opened.ask.installation(), Timestamp::from_secs(opened.cover.at));
    let is_activation = matches!(opened.ask, Ask::Activation { .. });
    let (host, documents, foreseen) = match opened.ask {
        Ask::Activation { request, code, .. } => {
            (request.host.name.clone(), Vec::new(), foresee_activation(service, &request, &code).await?)
        }
        Ask::CheckIn { body, sender } => {
            let seen = check_in::foresee(service, *body, &sender).await?;
            (seen.host, seen.documents, seen.foreseen)
        }
    };
    Ok(OfflinePreview { is_activation, provider, installation, license, host, made, documents, foreseen })
}

/// Takes a request file of the actor's organization and gives the answer to carry back. The same file again gets the same
/// answer, as the same request over the network does.
pub async fn take_offline_request(service: &Service, actor: &Actor, text: &str) -> Result<OfflineAnswerFile> {
    service.must_go_on()?;
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, actor.org, Action::ManageLicenses).await?;
    drop(read);
    let opened = open(service, text).await?;
    if opened.ask.owner().0 != actor.org {
        return Err(ProblemKind::NotFound.into());
    }
    let mut read = service.store().read().await?;
    within_site(&mut read, actor, &opened.ask).await?;
    drop(read);
    let (provider, license) = opened.ask.owner();
    let (installation, key, request) = (opened.ask.installation(), opened.key, opened.cover.req);
    let (reply, known_root, needs_another) = match opened.ask {
        Ask::Activation { body, .. } => {
            (OfflineAnswer::Activation(activate_installation(service, body, None).await?), 1, false)
        }
        Ask::CheckIn { body, .. } => {
            let root = known_root(&body);
            match check_in::check_in(service, *body).await? {
                CheckInReply::Answered(answer) => (OfflineAnswer::CheckIn(answer), root, false),
                CheckInReply::OutOfStep(answer) => (OfflineAnswer::CheckIn(answer), root, true),
            }
        }
    };
    let reply = OfflineReply { roots: roots_after(service, known_root).await?, answer: reply };
    let subject = installation.map_or_else(|| license.to_string(), |id| id.to_string());
    let (actor, now) = (actor.clone(), service.now());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let body = json!({ "license": license, "request": request, "out_of_step": needs_another });
            change::by(tx, &actor, provider, "installation.request_carried", subject.clone(), now, body);
            Ok::<_, Error>(())
        })
        .await?;
    Ok(OfflineAnswerFile {
        file_name: format!("{}.tenure-response", &request.to_string()[..12]),
        content: wrap(service, &reply, request, key),
        needs_another,
    })
}

/// Opens a file: for this deployment, whole, and signed by the key that signed the request inside. A request of nobody
/// whom we know is not found.
async fn open(service: &Service, text: &str) -> Result<Opened> {
    let unreadable = |why: String| Error::from(ProblemKind::InvalidInput.because(format!("`file`: {why}")));
    let unproven = |why: String| Error::from(ProblemKind::BadSignature.because(why));
    let file = OfflineFile::parse(armor::OFFLINE_REQUEST, text).map_err(|error| unreadable(error.to_string()))?;
    if !file.cover.claims::<OfflineRequest>() {
        return Err(unreadable("its cover is not that of a request".to_owned()));
    }
    let told: OfflineRequest = decode_payload(&file.cover.payload).map_err(|error| unreadable(error.to_string()))?;
    let ours = service.deployment().id;
    if told.aud != ours {
        return Err(unproven(format!("the file was made for server {}, and this is {ours}", told.aud)));
    }
    if told.body != file.body_hash() {
        return Err(unproven("the file's content was changed after it was signed".to_owned()));
    }
    let ask = match file.read::<OfflineAsk>().map_err(|error| unreadable(error.to_string()))? {
        OfflineAsk::Activation(body) => {
            let request = verify_activation(&body.request).and_then(|request| request.for_audience(ours));
            let request = request.map_err(|error| unproven(error.to_string()))?;
            let code: ActivationCode = request.code.parse().map_err(|_| ProblemKind::NotFound)?;
            let mut read = service.store().peek().await?;
            let hash = code.hash();
            let code = match installation::find_code(&mut read, hash.as_bytes()).await? {
                Some(code) => code,
                None if enroll::knows(&mut read, hash.as_bytes()).await? => {
                    return Err(ProblemKind::EnrollRefused
                        .because("it is good over the network only; put an activation code of its own into the file")
                        .into());
                }
                None => return Err(ProblemKind::NotFound.into()),
            };
            Ask::Activation { body, request: Box::new(request), code }
        }
        OfflineAsk::CheckIn(body) => {
            let sender = check_in::sender(service, &body).await?.ok_or(ProblemKind::NotFound)?;
            Ask::CheckIn { body, sender }
        }
    };
    let (keys, request): (&[PublicKey], Hash) = match &ask {
        Ask::Activation { body, request, .. } => (std::slice::from_ref(&request.key), body.request.hash()),
        Ask::CheckIn { body, sender } => (&sender.keys, body.request.hash()),
    };
    let signed = keys.iter().find_map(|key| Some((verify_with_key(&file.cover, key).ok()?, key.id())));
    let (cover, key) =
        signed.ok_or_else(|| unproven("its cover is signed by another key than its request".to_owned()))?;
    let opened = Opened { cover, key, ask };
    if opened.cover.req != request {
        return Err(unproven("its cover speaks of another request".to_owned()));
    }
    Ok(opened)
}

/// Who is confined to a site carries only its files. Where the license is gone, no site can be shown.
async fn within_site(read: &mut Conn, actor: &Actor, ask: &Ask) -> Result<()> {
    let (provider, license) = ask.owner();
    let by_installation = match ask.installation() {
        Some(id) => server::find(read, provider, id).await?.map(|row| row.site),
        None => None,
    };
    let site: Option<SiteId> = match by_installation {
        Some(site) => site,
        None => license::find(read, provider, license).await?.and_then(|row| row.site),
    };
    if sees_site(actor, site) { Ok(()) } else { Err(ProblemKind::NotFound.into()) }
}

/// As [`activate_installation`] would decide on the code.
async fn foresee_activation(
    service: &Service,
    request: &Verified<ActivationRequest>,
    code: &installation::CodeRow,
) -> Result<Foreseen> {
    match code.key_id {
        Some(first) if first == *request.key.id().as_bytes() => Ok(Foreseen::Again),
        Some(_) => Err(ProblemKind::CodeUsed.into()),
        None => {
            let mut read = service.store().peek().await?;
            admit(&mut read, code, &request.product, service.now()).await?;
            Ok(Foreseen::Taken)
        }
    }
}

/// The version of the trust root that the request names, before it is verified: too low a number only brings more along.
fn known_root(body: &Exchange) -> u64 {
    decode_payload::<tenure_license::CheckInRequest>(&body.request.payload).map_or(1, |request| request.root)
}

/// The versions of the trust root after one, oldest first.
async fn roots_after(service: &Service, known: u64) -> Result<Vec<Envelope>> {
    let newest = service.root().version();
    let first = known.saturating_add(1).max((newest + 1).saturating_sub(MAX_ROOTS as u64));
    let mut roots = Vec::new();
    for version in first..=newest {
        roots.push(root_version(service, version).await?);
    }
    Ok(roots)
}

fn wrap(service: &Service, reply: &OfflineReply, request: Hash, key: KeyId) -> String {
    let body = offline_body(reply);
    let now = service.now();
    let cover = OfflineResponse {
        v: 1,
        aud: service.deployment().id,
        req: request,
        key,
        body: Hash::sha256(body.get()),
        at: now.as_secs(),
        crit: Vec::new(),
    };
    let cover = service.keys().sign_receipt(OfflineResponse::TYPE, encode_payload(&cover));
    let comments =
        [format!("Answer of {now}"), "Import it where the request was made: tenure agent import FILE".into()];
    OfflineFile { cover, body }.to_text(armor::OFFLINE_RESPONSE, &comments)
}
