//! QR codes, drawn on the server.

use qrcode::{Color, QrCode};

use crate::pages::second_step::Qr;

/// Light modules that a camera wants around the code.
const QUIET: usize = 4;

/// A text as a QR code; none when it is too long for one.
pub(crate) fn qr(text: &str) -> Option<Qr> {
    use std::fmt::Write;
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                let _ = write!(path, "M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len());
            }
            x += run.len();
        }
    }
    Some(Qr { size: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_a_quiet_zone() {
        let code = qr("otpauth://totp/Acme:ann%40example.org?secret=JBSWY3DPEHPK3PXP&issuer=Acme").expect("a code");
        let far = code.size - QUIET - 7;
        for corner in [(QUIET, QUIET), (far, QUIET), (QUIET, far)] {
            assert!(code.path.contains(&format!("M{} {}h7v1h-7z", corner.0, corner.1)), "{corner:?} in {}", code.path);
        }
        assert!(!code.path.contains("M0 ") && !code.path.contains("M3 "));
        assert_eq!(qr(&"x".repeat(5_000)), None);
    }
}
