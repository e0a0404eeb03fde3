//! Second steps after a restore (E4): what was removed or used up is so again, and nobody's sign-in is weaker than it was
//! without a person being told.

use tenure_core::UserId;
use tenure_store::{
    StoreError, Tx,
    rows::second_step::{self, UsedCode},
};

use crate::Revocation;

/// Does one thing again; whether that changed anything, or `None` where a person has to look.
pub(crate) async fn again(tx: &mut Tx, id: UserId, each: &Revocation) -> Result<Option<bool>, StoreError> {
    Ok(match each.verb.as_str() {
        "person.second_step_removed" | "person.second_step_reset" => {
            Some(second_step::delete_of(tx, id, each.at).await?)
        }
        // The secret went with the database: the person signs in with the password alone until they set up another.
        "person.second_step_on" => {
            let known = second_step::find(tx, id).await?.and_then(|kept| kept.confirmed) == Some(each.at);
            known.then_some(false)
        }
        "person.recovery_codes_made" => Some(second_step::delete_codes_of(tx, id, each.at).await?),
        "person.recovery_code_used" => match used(each) {
            Some(code) => Some(second_step::use_code_again(tx, id, code, each.at).await?),
            None => None,
        },
        _ => None,
    })
}

fn used(each: &Revocation) -> Option<UsedCode> {
    let made = each.data.get("made")?.as_str()?.parse().ok()?;
    Some(UsedCode { n: each.data.get("n")?.as_i64()?, made })
}
