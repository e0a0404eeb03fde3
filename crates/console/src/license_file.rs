//! A license file that a client uploads: as the body, or as a part of `multipart/form-data`.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use tenure_service::ProblemKind;

use crate::error::Refusal;

const BEGIN: &str = "-----BEGIN TENURE LICENSE-----";
const END: &str = "-----END TENURE LICENSE-----";

/// The text of the file. Its armor says where it begins and ends, so that nothing else of the body is read.
pub(crate) struct Uploaded(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Uploaded {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| ProblemKind::MalformedBody.because(error.body_text()))?;
        armored(&bytes)
            .map(Self)
            .ok_or_else(|| Refusal::invalid(format!("send the license file in `license`; it begins with `{BEGIN}`")))
    }
}

fn armored(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let begins = text.find(BEGIN)?;
    let length = text[begins..].find(END)? + END.len();
    Some(text[begins..begins + length].to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_alone_and_as_a_part() {
        let file = format!("{BEGIN}\nProvider: x\n\nYWJj\n{END}\n");
        assert_eq!(armored(file.as_bytes()).as_deref(), Some(file.as_str()));
        let part = format!("--b\r\ncontent-disposition: form-data; name=\"license\"\r\n\r\n{file}\r\n--b--\r\n");
        assert_eq!(armored(part.as_bytes()).as_deref(), Some(file.as_str()));
        for wrong in ["", "hello", BEGIN, END] {
            assert_eq!(armored(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(armored(format!("{END}{BEGIN}").as_bytes()), None);
    }
}
