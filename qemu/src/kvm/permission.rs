//! Who may open /dev/kvm, and the one command that adds this user.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The group's read and write permission.
const GROUP_RW: u32 = 0o060;

/// Who may open the device.
pub(super) struct Permission {
    mode: u32,
    /// The device's group, and its members by /etc/group.
    group: Option<(String, Vec<String>)>,
    user: String,
    is_roots: bool,
}

impl Permission {
    pub fn of(device: &Path) -> Self {
        let (mode, gid) = device.metadata().map_or((0, 0), |file| (file.mode(), file.gid()));
        let groups = fs::read_to_string("/etc/group").unwrap_or_default();
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
        Self::new(mode, gid, "", &groups, &user)
    }

    /// `name` is the group's, if /etc/group does not have it.
    pub fn new(mode: u32, gid: u32, name: &str, groups: &str, user: &str) -> Self {
        let group = groups.lines().find_map(|line| member_list(line, gid));
        let group = group.or_else(|| (!name.is_empty()).then(|| (name.to_owned(), Vec::new())));
        Self { mode, group, user: user.to_owned(), is_roots: gid == 0 }
    }

    /// What gives this user the permission, as a full sentence.
    pub fn remedy(&self) -> String {
        let user = if self.user.is_empty() { "$USER" } else { &self.user };
        match &self.group {
            Some((group, _)) if self.mode & GROUP_RW != GROUP_RW || self.is_roots => {
                format!(
                    "`sudo chmod o+rw /dev/kvm` gives it to everyone until the next boot (its group is {group})."
                )
            }
            // The groups of a login are those of its beginning.
            Some((group, members)) if members.iter().any(|member| member == user) => format!(
                "{user} is in the group {group}, but this login began before that: log out and in again, or start a \
                 shell with `newgrp {group}`."
            ),
            Some((group, _)) => format!("`sudo usermod -aG {group} $USER`, then log out and in again."),
            None => "`sudo usermod -aG kvm $USER`, then log out and in again.".to_owned(),
        }
    }
}

/// The name and the members of a group, if this line of /etc/group is that of `gid`: `kvm:x:108:ann,bob`.
fn member_list(line: &str, gid: u32) -> Option<(String, Vec<String>)> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let of = fields.nth(1)?.parse::<u32>().ok()?;
    let members = fields.next().unwrap_or_default().split(',').map(str::to_owned).collect();
    (of == gid).then_some((name, members))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "root:x:0:\nkvm:x:108:bob,ann\nvirt:x:109:\n";

    #[test]
    fn prints_the_one_command() {
        let remedy = |mode, gid, user| Permission::new(mode, gid, "", GROUPS, user).remedy();
        assert!(remedy(0o660, 108, "eve").starts_with("`sudo usermod -aG kvm $USER`, then log out"));
        assert!(remedy(0o660, 109, "eve").starts_with("`sudo usermod -aG virt $USER`"));
        let in_it = remedy(0o660, 108, "ann");
        assert!(in_it.starts_with("ann is in the group kvm") && in_it.contains("newgrp kvm"), "{in_it}");
        assert!(remedy(0o600, 108, "ann").starts_with("`sudo chmod o+rw /dev/kvm`"));
        assert!(remedy(0o660, 0, "ann").starts_with("`sudo chmod o+rw /dev/kvm`"));
        assert!(remedy(0o660, 4711, "ann").starts_with("`sudo usermod -aG kvm $USER`"));
    }
}
