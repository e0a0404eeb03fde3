//! Every way to be refused, with what happened, why, and what to do: RFC 9457 `type`s and the lines people read.

use std::{borrow::Cow, fmt};

/// One refusal: its kind and what it says about this very case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable kind.
    pub kind: ProblemKind,
    /// What this case adds to the kind's own words; may be empty.
    pub detail: Cow<'static, str>,
    /// Machine-readable additions, flattened into the problem document.
    pub extensions: Vec<(&'static str, serde_json::Value)>,
}

impl Problem {
    /// Adds a machine-readable member.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.extensions.push((name, value.into()));
        self
    }
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self { kind, detail: Cow::Borrowed(""), extensions: Vec::new() }
    }
}

/// The member that says in how many seconds to ask again.
pub(crate) const RETRY_AFTER: &str = "retry_after_s";
/// When to ask again where nothing more is known, in seconds.
const RETRY_SOON_S: u64 = 5;

impl Problem {
    /// In how many seconds it is worth to ask again, for the `Retry-After` of an answer.
    pub fn retry_after_s(&self) -> Option<u64> {
        let told = self.extensions.iter().find(|(name, _)| *name == RETRY_AFTER).and_then(|(_, value)| value.as_u64());
        told.or((self.kind.status() == 503).then_some(RETRY_SOON_S))
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            f.write_str(self.kind.title())
        } else {
            write!(f, "{}: {}", self.kind.title(), self.detail)
        }
    }
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:literal, $title:literal, $why:literal, $todo:literal;)*) => {
        /// The kinds of refusal. The slug is stable for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemKind { $($(#[$doc])* $name,)* }

        impl ProblemKind {
            /// All kinds, in catalog order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// The stable name, last part of the `type` URI.
            pub const fn slug(self) -> &'static str { match self { $(Self::$name => $slug),* } }
            /// HTTP status.
            pub const fn status(self) -> u16 { match self { $(Self::$name => $status),* } }
            /// What happened.
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title),* } }
            /// Why.
            pub const fn why(self) -> &'static str { match self { $(Self::$name => $why),* } }
            /// What to do.
            pub const fn what_to_do(self) -> &'static str { match self { $(Self::$name => $todo),* } }
        }
    };
}

impl ProblemKind {
    /// A refusal of this kind with words about this very case.
    pub fn because(self, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { kind: self, detail: detail.into(), extensions: Vec::new() }
    }
}

// Keep one kind per cause a person can act on; reuse before adding. A test fails on a kind that no test triggers.
problems! {
    /// Not signed in, or the token is unknown, expired or revoked.
    Unauthenticated = "unauthenticated", 401, "You are not signed in",
        "The request carries no session or token that is valid now.",
        "Sign in again, or send a token that has not expired as `Authorization: Bearer …`.";
    /// Wrong e-mail address or password, or too many tries.
    SignInFailed = "sign-in-failed", 401, "You could not be signed in",
        "The e-mail address or the password is wrong, or there were too many wrong tries.",
        "Check both. After five wrong passwords wait for up to 15 minutes; an administrator can give you a new password.";
    /// The password is right, and a code is wanted.
    SecondStep = "second-step", 401, "A code is wanted too",
        "The password is right, and this person signs in with a second step.",
        "Send `challenge` with the code that the authenticator app shows, or with a recovery code, within five minutes.";
    /// The role does not allow it.
    Forbidden = "forbidden", 403, "Your role does not allow this",
        "The thing is yours to see, but your role or the token's scope does not include this action.",
        "Ask an administrator of your organization for the role, or use a token with a wider scope.";
    /// Another site's page sent it.
    CrossSite = "cross-site", 403, "This came from another site",
        "The browser says that a page of another site sent it, so it may not be what you wanted.",
        "Open the page here and do it again. Nothing was changed.";
    /// It does not exist, or belongs to somebody else.
    NotFound = "not-found", 404, "There is no such thing here",
        "It does not exist, or it belongs to another organization.",
        "Check the id; lists show what you may see.";
    /// The request could not be understood.
    InvalidInput = "invalid-input", 422, "Something in the request is not right",
        "A field is missing, malformed or out of its bounds; the detail names it.",
        "Correct the named field and send it again. Nothing was changed.";
    /// The body is larger than allowed or not what its content type says.
    MalformedBody = "malformed-body", 400, "The request could not be read",
        "It is cut off, too large, or not valid JSON.",
        "Send the whole request again; the documentation names the limits.";
    /// The lines changed since they were looked at.
    Changed = "changed", 412, "The figures changed since you looked",
        "Another person or a product's report changed the lines after you loaded them.",
        "Load the month again, look at what changed, and repeat your action.";
    /// If-Match is required.
    PreconditionRequired = "precondition-required", 428, "Say which version you saw",
        "A change of what others change too, as submitting a month's lines, names what it means by its hash.",
        "Load it, and send its ETag as `If-Match`.";
    /// A thing changed since it was looked at.
    Stale = "stale", 412, "It changed since you looked",
        "Somebody else changed it after you loaded it; `changed` names the fields.",
        "Load it again, look at what changed, and repeat your action.";
    /// The last administrator would be gone.
    LastAdministrator = "last-administrator", 409, "An organization keeps an administrator",
        "This person is the last one who may manage its people.",
        "Give somebody else an administrator's role first.";
    /// A role that the caller may not give.
    RoleRefused = "role-refused", 403, "You cannot give this role",
        "Nobody changes their own role, or gives one that may do more than their own.",
        "Ask another administrator, or the vendor's.";
    /// Something depends on it.
    InUse = "in-use", 409, "It is still in use",
        "Something that is in force belongs to it; the detail says what.",
        "End or move that first, then try again.";
    /// It was deactivated or closed.
    Inactive = "inactive", 409, "It was deactivated",
        "It was deactivated, closed or withdrawn; the detail says what.",
        "Use another one, or have it activated again.";
    /// The month's state does not know this step.
    MonthState = "month-state", 409, "The month does not allow this now",
        "Its state has no such step: it is not open for changes, not submitted, or closed for ever; the detail names the state.",
        "Load the month and see where it stands. A closed month is never changed: later figures become lines of a later one.";
    /// Something of the month must be answered first.
    MonthBlocked = "month-blocked", 409, "Something must be answered first",
        "Servers are still awaited, missing or cloned, or lines are unmapped or unconfirmed; `blockers` counts them.",
        "Answer each of them (zero is an answer), confirm adjustments against the newer report, and repeat your action.";
    /// The decider submitted it.
    OwnSubmission = "own-submission", 403, "Nobody decides on what they submitted themselves",
        "You or your organization submitted this monthly usage.",
        "Somebody else of the distributor has to decide.";
    /// The vendor must consent first.
    VendorConsentMissing = "vendor-consent-missing", 409, "The vendor has to consent first",
        "The total was lowered below the products' own figures by more than the program's threshold.",
        "Ask the vendor to look at it; reject it to have it corrected instead.";
    /// So many points take two people, and the second one is missing.
    SecondPersonMissing = "second-person-missing", 409, "Another person has to approve it too",
        "The distributor has so many points approved by two different people, and the first of them was you, or is not a person.",
        "Have somebody else of your organization approve it, signed in as themselves; rejecting takes one person.";
    /// The same idempotency key came with another request.
    IdempotencyMismatch = "idempotency-mismatch", 422, "This idempotency key was used for another request",
        "A key names one request for 48 hours.",
        "Use a fresh key for a new request.";
    /// The same idempotency key is being worked on.
    IdempotencyInFlight = "idempotency-in-flight", 409, "The same request is being worked on",
        "Another request with this idempotency key has not been answered yet.",
        "Wait a moment and send it again with the same key: it is done once.";
    /// Two newest months past their deadline are not submitted.
    Suspended = "suspended", 409, "The provider is suspended",
        "The two newest months past their deadline are both not submitted.",
        "Submit one of them: the suspension ends at once. Reporting, revoking and downloading go on meanwhile.";
    /// Nobody accounted for old usage.
    ObligationOpen = "obligation-open", 409, "Earlier usage is not accounted for",
        "Usage of this company and product is unresolved for more than two months.",
        "Answer the missing installations of that month in its review, then try again.";
    /// The rental agreement does not run any more.
    AgreementOver = "agreement-over", 409, "The rental agreement is over",
        "It has ended or was terminated.",
        "Use another agreement, or have the distributor extend this one.";
    /// It is a template.
    NotAssigned = "not-assigned", 409, "The license is not assigned",
        "A template has no validity and cannot be installed.",
        "Assign it to a company first.";
    /// It is assigned already.
    AlreadyAssigned = "already-assigned", 409, "The license is assigned already",
        "A license is held by one company, or by the provider itself.",
        "Create another license, or revoke this one first.";
    /// Automatic reporting cannot be set.
    ReportingFixed = "reporting-fixed", 409, "Automatic reporting cannot be set here",
        "The agreement, the usage type, the product or the enrollment decides it; the detail says which.",
        "Request automatic reporting if it is not active yet; until then submit the usage by hand.";
    /// The enrollment stands somewhere else.
    EnrollmentState = "enrollment-state", 409, "The enrollment does not allow this now",
        "It was asked for, approved or declined meanwhile; the detail says which.",
        "Look at where it stands.";
    /// The server's state has no such step.
    InstallationState = "installation-state", 409, "The server does not allow this now",
        "It is retired, suspended or not suspended, or it was settled meanwhile; the detail says which.",
        "Look at where the server stands.";
    /// The signing key belongs to no installation here.
    UnknownKey = "unknown-key", 404, "No installation speaks with this key",
        "The request's signing key was never registered here, or the server lost it.",
        "A product sends its activation answer along by itself; otherwise activate it again with a new code.";
    /// The signing key was replaced by a newer one.
    KeyRetired = "key-retired", 403, "This key has been replaced",
        "The installation handed over to a newer key, so this one only verifies older documents.",
        "If the machine was set back to before that, identify it anew: make a code for it on the license's page.";
    /// A signature, the audience or the sender is wrong.
    BadSignature = "bad-signature", 400, "The signature does not prove this request",
        "It was changed on the way, made with another key, or meant for another server.",
        "Check which server the product talks to, and that nothing on the way rewrites requests.";
    /// No such activation code.
    CodeUnknown = "code-unknown", 404, "This activation code is not valid here",
        "It was mistyped, voided, or made by another server.",
        "Copy the code again, or make a new one on the license's page.";
    /// The code has lapsed.
    CodeLapsed = "code-lapsed", 410, "This activation code has lapsed",
        "Codes are valid for a few days at most.",
        "Make a new one on the license's page.";
    /// Another key used the code.
    CodeUsed = "code-used", 409, "This activation code was used by another machine",
        "A code belongs to the first key that shows it.",
        "Make a new code; if you did not use this one yourself, void the installation it made.";
    /// The fleet's token does not let this server in.
    EnrollRefused = "enroll-refused", 403, "This enroll token does not let this server in",
        "It was shown from outside its networks, as many servers as may have shown it, or a person refused this server; the detail says which.",
        "Ask whoever made the token; an activation code of its own always works.";
    /// A person decides on it.
    ApprovalAwaited = "approval-awaited", 403, "This server waits for approval",
        "The license has as many servers as join by themselves, so a person of its provider decides on each further one.",
        "Have it admitted on the license's page. The product asks again by itself.";
    /// The product is another than the license's.
    WrongProduct = "wrong-product", 422, "The license is for another product",
        "The code's license does not license the product that asks.",
        "Use a code of a license for this product.";
    /// The public key is taken or unusable.
    KeyRefused = "key-refused", 409, "This key cannot be registered",
        "Every installation needs a key of its own that was never used before.",
        "Let the product make a fresh key: remove the agent's data directory that was copied with the image.";
    /// `init` on a database that has a deployment.
    AlreadyInitialized = "already-initialized", 409, "There is a deployment here already",
        "A database holds one deployment; making another would orphan every license of the first.",
        "Use another data directory, or serve the one that exists.";
    /// A caller asked for more than its share.
    TooManyRequests = "too-many-requests", 429, "Too many requests",
        "This address, installation or token asked more often than the server's limits allow.",
        "Wait as long as `Retry-After` says, then ask more slowly. Nothing was changed, and nothing is lost by waiting.";
    /// Too much work is queued.
    Busy = "busy", 503, "The server is busy",
        "More work is waiting than it can hold.",
        "Try again after the time in Retry-After; nothing was changed.";
    /// The disk is full.
    StorageFull = "storage-full", 503, "The server's disk is full",
        "Nothing can be stored durably, so nothing is acknowledged.",
        "Try again later; the operator must free space.";
    /// The database failed.
    StorageFailed = "storage-failed", 503, "The database did not answer",
        "Whether the change was stored is not known for certain.",
        "Send the same request again: it is never counted twice.";
    /// The server does not trust its clock or its database.
    Halted = "halted", 503, "The server has halted",
        "Its clock jumped, or its database lacks what it once signed; it signs and changes nothing until that is settled.",
        "Try again later; the operator sees the cause at /readyz and in the log. Nothing was changed.";
    /// A bug or broken invariant.
    Internal = "internal", 500, "The server failed",
        "This is our mistake, not yours.",
        "Try again; if it stays, give the operation id to the operator.";
}
