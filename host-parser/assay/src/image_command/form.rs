//! The forms of an image: one line of a table each.

use clap::ValueEnum;

/// Declares a form with its option for the image tool, the end of its file name, and its purpose.
macro_rules! forms {
    ($($(#[$meta:meta])* $name:ident: $option:expr, $end:literal, $purpose:literal;)*) => {
        /// A form. The command line has the same names.
        #[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
        pub enum Form {
            $(#[doc = $purpose] $(#[$meta])* $name,)*
        }

        impl Form {
            /// Every form.
            pub const ALL: [Self; [$($end),*].len()] = [$(Self::$name),*];

            /// The image tool's option for this form; `None` if it is made without the tool.
            pub const fn option(self) -> Option<&'static str> {
                match self { $(Self::$name => $option,)* }
            }

            /// The end of the name of its file or folder.
            const fn end(self) -> &'static str {
                match self { $(Self::$name => $end,)* }
            }

            /// The firmware and the platforms that it is for.
            pub const fn purpose(self) -> &'static str {
                match self { $(Self::$name => $purpose,)* }
            }
        }
    };
}

forms! {
    Iso: Some("--iso"), ".iso", "BIOS and UEFI: CD, USB stick, disk";
    #[value(alias = "ec2")]
    Raw: Some("--disk"), ".raw", "BIOS and UEFI: EC2, any raw disk";
    Gce: Some("--gce"), "-gce.tar.gz", "BIOS and UEFI: Google Compute Engine";
    #[value(alias = "vhd")]
    Azure: Some("--vhd"), "-azure.vhd", "BIOS and UEFI: Azure, Hyper-V";
    Qcow2: Some("--qcow2"), ".qcow2", "BIOS and UEFI: Proxmox, libvirt, OpenStack";
    Vmdk: Some("--vmdk"), ".vmdk", "BIOS and UEFI: VMware, VirtualBox";
    Bios: Some("--bios"), "-bios.img", "BIOS alone: raw disk";
    Uefi: Some("--uefi"), "-uefi.img", "UEFI alone: raw disk";
    Tftp: Some("--tftp"), "-tftp", "UEFI network boot: a TFTP server's folder";
    Direct: None, "-direct", "no firmware: QEMU, Firecracker, Cloud Hypervisor";
}

impl Form {
    /// The name of an experiment's file or folder of this form.
    pub fn file_name(self, experiment: &str) -> String {
        format!("{experiment}{}", self.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_a_file_name_to_itself() {
        let names = Form::ALL.map(|form| form.file_name("x"));
        assert!(names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)), "{names:?}");
    }
}
