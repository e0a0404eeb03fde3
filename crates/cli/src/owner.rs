//! Whose the files are that a command makes beside the server's: an operator runs commands as root, and the server does not.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::Path,
};

use anyhow::{Context, Result};
use rustix::fs::OFlags;

/// Gives a file that was just made to the owner of the directory it is in, where root made it in another's directory. A
/// server that runs as that user could not open it otherwise.
pub(crate) fn give_to_directory(path: &Path) -> Result<()> {
    give(path).with_context(|| format!("cannot give {} to the owner of its directory", path.display()))
}

fn give(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = fs::metadata(dir)?;
    // Neither followed nor given twice: whoever owns the directory may have put a link to a file of root's there.
    let file = File::options().read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)?;
    let made = file.metadata()?;
    if made.uid() == 0 && owner.uid() != 0 && made.is_file() && made.nlink() == 1 {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}
