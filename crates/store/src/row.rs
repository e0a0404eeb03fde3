//! One row of a result, whichever engine it came from.

use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};
use tenure_core::{Day, Period, Points, Timestamp, Week, Weight};
use uuid::Uuid;

use crate::{
    StoreError,
    local::{FromLocal, LocalColumn, LocalRow},
};

/// One row. Columns are read by name (`"expires_at"`) or by number (0 first).
#[derive(Debug)]
pub struct Row(pub(crate) RowOf);

pub(crate) enum RowOf {
    Local(LocalRow),
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl std::fmt::Debug for RowOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Local(_) | Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        })
    }
}

/// A column's name or number.
pub trait Column: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + LocalColumn + Copy {}
impl<T: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + LocalColumn + Copy> Column for T {}

impl Row {
    fn get<T>(&self, column: impl Column) -> Result<Option<T>, StoreError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres> + FromLocal,
    {
        match &self.0 {
            RowOf::Local(row) => row.get(column),
            RowOf::Sqlite(row) => row.try_get(column),
            RowOf::Postgres(row) => row.try_get(column),
        }
        .map_err(|source| StoreError::Column { column: format!("{column:?}"), source })
    }

    fn some<T>(column: impl Column, value: Option<T>) -> Result<T, StoreError> {
        let null = || sqlx::Error::Decode("NULL where a value must be".into());
        value.ok_or_else(|| StoreError::Column { column: format!("{column:?}"), source: null() })
    }

    /// An integer, or NULL.
    pub fn opt_i64(&self, column: impl Column) -> Result<Option<i64>, StoreError> {
        match &self.0 {
            RowOf::Local(_) | RowOf::Sqlite(_) => self.get(column),
            // Expressions such as length(x) or 1 are INT4 in PostgreSQL.
            RowOf::Postgres(row) => match row.try_get::<Option<i64>, _>(column) {
                Err(sqlx::Error::ColumnDecode { .. }) => {
                    row.try_get::<Option<i32>, _>(column).map(|value| value.map(i64::from))
                }
                other => other,
            }
            .map_err(|source| StoreError::Column { column: format!("{column:?}"), source }),
        }
    }
    /// An integer.
    pub fn i64(&self, column: impl Column) -> Result<i64, StoreError> {
        Self::some(column, self.opt_i64(column)?)
    }
    /// Text, or NULL.
    pub fn opt_text(&self, column: impl Column) -> Result<Option<String>, StoreError> {
        self.get(column)
    }
    /// Text.
    pub fn text(&self, column: impl Column) -> Result<String, StoreError> {
        Self::some(column, self.opt_text(column)?)
    }
    /// Bytes, or NULL.
    pub fn opt_blob(&self, column: impl Column) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(column)
    }
    /// Bytes.
    pub fn blob(&self, column: impl Column) -> Result<Vec<u8>, StoreError> {
        Self::some(column, self.opt_blob(column)?)
    }
    /// Exactly 32 bytes, as hashes and public keys are, or NULL.
    pub fn opt_hash(&self, column: impl Column) -> Result<Option<[u8; 32]>, StoreError> {
        let wrong = |_| StoreError::Corrupt { what: "a hash of another length" };
        self.opt_blob(column)?.map(|bytes| <[u8; 32]>::try_from(bytes).map_err(wrong)).transpose()
    }
    /// Exactly 32 bytes, as hashes and public keys are.
    pub fn hash(&self, column: impl Column) -> Result<[u8; 32], StoreError> {
        Self::some(column, self.opt_hash(column)?)
    }
    /// A UUID, or NULL.
    pub fn opt_uuid(&self, column: impl Column) -> Result<Option<Uuid>, StoreError> {
        self.get(column)
    }
    /// A UUID.
    pub fn uuid(&self, column: impl Column) -> Result<Uuid, StoreError> {
        Self::some(column, self.opt_uuid(column)?)
    }
    /// A typed id, or NULL.
    pub fn opt_id<T: From<Uuid>>(&self, column: impl Column) -> Result<Option<T>, StoreError> {
        Ok(self.opt_uuid(column)?.map(T::from))
    }
    /// A typed id: `row.id::<LicenseId>("id")`.
    pub fn id<T: From<Uuid>>(&self, column: impl Column) -> Result<T, StoreError> {
        self.uuid(column).map(T::from)
    }
    /// A truth value, or NULL.
    pub fn opt_bool(&self, column: impl Column) -> Result<Option<bool>, StoreError> {
        self.get(column)
    }
    /// A truth value.
    pub fn bool(&self, column: impl Column) -> Result<bool, StoreError> {
        Self::some(column, self.opt_bool(column)?)
    }
    /// An instant, or NULL.
    pub fn opt_timestamp(&self, column: impl Column) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_i64(column)?.map(Timestamp::from_micros))
    }
    /// An instant.
    pub fn timestamp(&self, column: impl Column) -> Result<Timestamp, StoreError> {
        self.i64(column).map(Timestamp::from_micros)
    }
    /// A period, or NULL.
    pub fn opt_period(&self, column: impl Column) -> Result<Option<Period>, StoreError> {
        self.opt_i64(column)?.map(period).transpose()
    }
    /// A period.
    pub fn period(&self, column: impl Column) -> Result<Period, StoreError> {
        period(self.i64(column)?)
    }
    /// A UTC day.
    pub fn day(&self, column: impl Column) -> Result<Day, StoreError> {
        day(self.i64(column)?)
    }
    /// A UTC day, or NULL.
    pub fn opt_day(&self, column: impl Column) -> Result<Option<Day>, StoreError> {
        self.opt_i64(column)?.map(day).transpose()
    }
    /// An ISO week.
    pub fn week(&self, column: impl Column) -> Result<Week, StoreError> {
        self.day(column).map(Week::of)
    }
    /// Points, or NULL.
    pub fn opt_points(&self, column: impl Column) -> Result<Option<Points>, StoreError> {
        Ok(self.opt_i64(column)?.map(Points::from_milli))
    }
    /// Points.
    pub fn points(&self, column: impl Column) -> Result<Points, StoreError> {
        self.i64(column).map(Points::from_milli)
    }
    /// A weight.
    pub fn weight(&self, column: impl Column) -> Result<Weight, StoreError> {
        Weight::from_milli(self.i64(column)?).ok_or(StoreError::Corrupt { what: "a negative weight" })
    }
    /// JSON stored as text, read into a type.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: impl Column) -> Result<T, StoreError> {
        Ok(serde_json::from_str(&self.text(column)?)?)
    }
    /// A word stored as text, read by its `FromStr`; `what` names it when it cannot be.
    pub fn parse<T: std::str::FromStr>(&self, column: impl Column, what: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| StoreError::Corrupt { what })
    }
}

fn period(index: i64) -> Result<Period, StoreError> {
    let found = i32::try_from(index).ok().map(Period::from_index);
    let valid = found.and_then(|found| Period::new(found.year(), found.month()));
    valid.ok_or(StoreError::Corrupt { what: "a period out of range" })
}

fn day(number: i64) -> Result<Day, StoreError> {
    i32::try_from(number).map(Day::from_number).map_err(|_| StoreError::Corrupt { what: "a day out of range" })
}
