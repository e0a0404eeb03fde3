//! Parameters of statements.

use sqlx::{Arguments, postgres::PgArguments, sqlite::SqliteArguments};
use tenure_core::{Day, Period, Points, Timestamp, Week, Weight};
use uuid::Uuid;

/// One parameter. `None` is NULL of that type, which PostgreSQL wants to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Val {
    /// INTEGER / BIGINT.
    I64(Option<i64>),
    /// TEXT; JSON too.
    Text(Option<String>),
    /// BLOB / BYTEA.
    Blob(Option<Vec<u8>>),
    /// BLOB of 16 bytes / UUID.
    Uuid(Option<Uuid>),
    /// INTEGER 0 or 1 / BOOLEAN.
    Bool(Option<bool>),
}

/// What can be a parameter. Instants are microseconds, periods their index, points thousandths, days and weeks (by
/// their Monday) the day's number, ids the bare UUID.
pub trait Param: Sized {
    /// NULL of this type.
    const NULL: Val;
    /// The parameter.
    fn val(self) -> Val;
}

macro_rules! param {
    ($($ty:ty => $variant:ident, $value:ident => $expr:expr;)*) => {$(
        impl Param for $ty {
            const NULL: Val = Val::$variant(None);
            fn val(self) -> Val {
                let $value = self;
                Val::$variant(Some($expr))
            }
        }
    )*};
}
param! {
    i64 => I64, v => v;
    i32 => I64, v => i64::from(v);
    u32 => I64, v => i64::from(v);
    u16 => I64, v => i64::from(v);
    u8 => I64, v => i64::from(v);
    bool => Bool, v => v;
    String => Text, v => v;
    &String => Text, v => v.clone();
    &str => Text, v => v.to_owned();
    Vec<u8> => Blob, v => v;
    &Vec<u8> => Blob, v => v.clone();
    &[u8] => Blob, v => v.to_vec();
    [u8; 32] => Blob, v => v.to_vec();
    &[u8; 32] => Blob, v => v.to_vec();
    [u8; 16] => Blob, v => v.to_vec();
    Uuid => Uuid, v => v;
    Timestamp => I64, v => v.as_micros();
    Period => I64, v => i64::from(v.index());
    Day => I64, v => i64::from(v.number());
    Week => I64, v => i64::from(v.first().number());
    Points => I64, v => v.as_milli();
    Weight => I64, v => v.as_milli();
    &serde_json::Value => Text, v => v.to_string();
    serde_json::Value => Text, v => v.to_string();
}

macro_rules! id_param {
    ($($id:ident)*) => { param! { $(tenure_core::$id => Uuid, v => v.uuid();)* } };
}
id_param! {
    DeploymentId OrgId SiteId CompanyId UserId TokenId SessionId AgreementId ProductId TemplateId LicenseId
    InstallationId DocumentId UsageId LineId JobId MessageId EnrollTokenId ApplicantId
}

impl<T: Param> Param for Option<T> {
    const NULL: Val = T::NULL;
    fn val(self) -> Val {
        self.map_or(T::NULL, T::val)
    }
}

impl Param for Val {
    const NULL: Val = Val::Text(None);
    fn val(self) -> Val {
        self
    }
}

/// The parameters of one execution, in the order `$1`, `$2`, …: `params![license.id, now, None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { ::std::vec![$($crate::Param::val($value)),*] };
}

/// A rows-as-JSON parameter for a batch statement: `json_each($1)` on SQLite, `json_to_recordset($1::json)` or
/// `json_array_elements($1::json)` on PostgreSQL. One statement for the whole batch, whatever its length.
pub fn json_rows<T: serde::Serialize>(rows: &[T]) -> Result<Val, crate::StoreError> {
    Ok(Val::Text(Some(serde_json::to_string(rows)?)))
}

/// Bytes as JSON rows carry them: `unhex(value->>'x')` on SQLite, `decode(x, 'hex')` on PostgreSQL.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

type EncodeError = sqlx::error::BoxDynError;

pub(crate) fn sqlite(values: Vec<Val>) -> Result<SqliteArguments, EncodeError> {
    let mut arguments = SqliteArguments::default();
    Arguments::reserve(&mut arguments, values.len(), 0);
    for value in values {
        match value {
            Val::I64(v) => Arguments::add(&mut arguments, v),
            Val::Text(v) => Arguments::add(&mut arguments, v),
            Val::Blob(v) => Arguments::add(&mut arguments, v),
            Val::Uuid(v) => Arguments::add(&mut arguments, v),
            Val::Bool(v) => Arguments::add(&mut arguments, v),
        }?;
    }
    Ok(arguments)
}

pub(crate) fn postgres(values: Vec<Val>) -> Result<PgArguments, EncodeError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Val::I64(v) => Arguments::add(&mut arguments, v),
            Val::Text(v) => Arguments::add(&mut arguments, v),
            Val::Blob(v) => Arguments::add(&mut arguments, v),
            Val::Uuid(v) => Arguments::add(&mut arguments, v),
            Val::Bool(v) => Arguments::add(&mut arguments, v),
        }?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_keeps_its_type_and_bytes_are_hex() {
        assert_eq!(
            params![None::<tenure_core::OrgId>, Some(3_i64), None::<&str>],
            vec![Val::Uuid(None), Val::I64(Some(3)), Val::Text(None)]
        );
        assert_eq!(hex(&[0x00, 0xff, 0x1a]), "00ff1a");
    }
}
