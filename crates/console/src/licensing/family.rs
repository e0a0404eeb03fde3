//! Which of the console's product families a product of the catalog is shown under. The families are the API's own; a
//! catalog has its own products, so their codes decide.

/// A family of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Servers that back up machines and files; what fits nowhere else.
    Backup,
    /// Servers for mail and office accounts.
    Mail,
    /// Servers that watch others.
    Monitoring,
    /// Gateways that take in customers' backups.
    CloudConnect,
    /// The provider's own management console.
    Console,
}

impl Family {
    /// By the code compiled into the product.
    pub(super) fn of(code: &str) -> Self {
        let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
        if has(&["mail", "365", "office"]) {
            Self::Mail
        } else if has(&["monitor", "observ"]) {
            Self::Monitoring
        } else if has(&["cloud-connect", "gateway"]) {
            Self::CloudConnect
        } else if has(&["console"]) {
            Self::Console
        } else {
            Self::Backup
        }
    }

    /// The word of `productType` and `serverType`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Backup => "BackupAndReplication",
            Self::Mail => "VB365",
            Self::Monitoring => "VONE",
            Self::CloudConnect => "CloudConnect",
            Self::Console => "VSPC",
        }
    }

    /// The word of `workloadType` for a workload's code.
    pub(super) fn workload(self, code: &str) -> &'static str {
        match (self, code) {
            (Self::Mail, "user") => "VB365_User",
            (Self::Backup, "vm") => "VBR_VM",
            (Self::Backup, "server" | "host") => "VBR_Server_Agent",
            (Self::Backup, "workstation") => "VBR_Workstation_Agent",
            (Self::Backup, "file-share") => "VBR_NAS_Backup",
            (Self::CloudConnect, "vm") => "CC_VM_Backup",
            (Self::CloudConnect, "server") => "CC_Server_Backup",
            (Self::CloudConnect, "workstation") => "CC_Workstation_Backup",
            (Self::Monitoring, "vm") => "VONE_VM",
            (Self::Monitoring, "server") => "VONE_Server_Agent",
            (Self::Monitoring, "workstation") => "VONE_Workstation_Agent",
            _ => "Unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_name_families_and_workloads() {
        for (code, family) in [
            ("backup-server", Family::Backup),
            ("file-backup", Family::Backup),
            ("mail-backup", Family::Mail),
            ("monitoring", Family::Monitoring),
            ("cloud-connect", Family::CloudConnect),
            ("provider-console", Family::Console),
        ] {
            assert_eq!(Family::of(code), family, "{code}");
        }
        assert_eq!(Family::Mail.workload("user"), "VB365_User");
        assert_eq!(Family::Mail.workload("directory"), "Unknown");
    }
}
