//! Answers in the console's shape: `{"data", "meta", "errors"}`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tenure_core::{Points, Weight};

use crate::select::Select;

/// One thing, as `{data, errors}`. Older clients take no `null` for what is absent.
pub(crate) fn single(data: Value, select: &Select) -> Response {
    Json(json!({ "data": select.of(data), "errors": [] })).into_response()
}

/// Nothing but that it was done.
pub(crate) fn empty() -> Response {
    Json(json!({ "data": {}, "errors": [] })).into_response()
}

/// Points as the number they are.
pub(crate) fn points(points: Points) -> f64 {
    points.as_milli() as f64 / 1000.0
}

/// A weight as the number it is.
pub(crate) fn weight(weight: Weight) -> f64 {
    f64::from(weight.as_milli() as u32) / 1000.0
}
