//! The license file: a projection of the journal, for the product and for people to look at.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use tenure_license::{Envelope, LicenseFile};

use crate::journal::{JournalError, sync_dir};

/// Puts the license in the file's place: whole or not at all, durable when this returns.
pub fn write(path: &Path, license: &Envelope) -> Result<(), JournalError> {
    replace(path, LicenseFile::to_text(license).as_bytes())
}

/// Puts a file in another's place, readable by everybody: whole or not at all, durable when this returns.
///
/// # Errors
/// When the directory or the disk refuses; the old file is still there then.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), JournalError> {
    let failed = |doing| move |source| JournalError::Io { doing, path: path.to_owned(), source };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = directory.join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        // A product that runs as another user reads it; it is no secret.
        .mode(0o644)
        .open(&temporary)
        .map_err(failed("make a file beside"))?;
    file.write_all(content).map_err(failed("write"))?;
    file.sync_all().map_err(failed("sync"))?;
    fs::rename(&temporary, path).map_err(failed("replace"))?;
    sync_dir(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("license.lic");
        let envelope = |text: &str| Envelope {
            payload: text.as_bytes().to_vec(),
            payload_type: "application/x".into(),
            signatures: Vec::new(),
        };
        for text in ["first", "second, longer than the first"] {
            write(&path, &envelope(text)).unwrap();
            let read = LicenseFile::parse(&fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(read.payload, text.as_bytes());
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(write(&dir.path().join("missing/license.lic"), &envelope("x")).is_err());
    }
}
