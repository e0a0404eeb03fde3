//! Fixed-point amounts as decimal text: `"13.5"`, never a JSON number that a reader would turn into a float.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes the value's text.
pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads the value from its text.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// The same for an optional amount.
pub mod optional {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the value's text, or null.
    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the value from its text, or from null.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// A field of a change: one that is left out stays, `null` clears it.
pub mod present {
    use serde::{Deserialize, Deserializer};

    /// Reads what is there, `null` included; use it with `#[serde(default)]`.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Option::<T>::deserialize(deserializer).map(Some)
    }

    /// The same for an amount as decimal text.
    pub mod amount {
        use std::{fmt::Display, str::FromStr};

        use serde::Deserializer;

        /// Reads what is there, `null` included; use it with `#[serde(default)]`.
        pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
        where
            T: FromStr<Err: Display>,
            D: Deserializer<'de>,
        {
            crate::text::optional::deserialize(deserializer).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use tenure_core::{Points, Weight};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        #[serde(with = "super")]
        weight: Weight,
        #[serde(default, with = "super::optional")]
        limit: Option<Points>,
    }

    #[test]
    fn amounts_are_text_and_numbers_are_refused() {
        let sample = Sample { weight: "1.5".parse().unwrap(), limit: Some(Points::whole(200)) };
        let json = serde_json::to_string(&sample).unwrap();
        assert_eq!(json, r#"{"weight":"1.5","limit":"200"}"#);
        assert_eq!(serde_json::from_str::<Sample>(&json).unwrap(), sample);
        assert_eq!(serde_json::from_str::<Sample>(r#"{"weight":"2"}"#).unwrap().limit, None);
        for bad in [r#"{"weight":1.5}"#, r#"{"weight":"1.2345"}"#, r#"{"weight":"-1"}"#, r#"{"weight":"1","limit":9}"#]
        {
            assert!(serde_json::from_str::<Sample>(bad).is_err(), "{bad}");
        }
    }
}
