//! The provider API, `/api/v1`: a file per group of operations.

use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

/// All operations; each group adds its own.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
}
