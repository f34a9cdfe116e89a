//! What a configuration may say.

extern crate std;
use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> (Config, Vec<String>) {
    let mut errors = Vec::new();
    let config = Config::read(text.as_bytes(), |error| errors.push(error.to_string()));
    (config, errors)
}

fn serial_of(value: &str) -> Option<Serial> {
    let (config, errors) = read(&std::format!("serial={value}"));
    assert_eq!(config.serial.is_none(), !errors.is_empty(), "{value}: {errors:?}");
    config.serial
}

fn uart(registers: Registers, baud: u32) -> Option<Serial> {
    Some(Serial::Uart(Uart { registers, baud: Some(baud) }))
}

#[test]
fn reads_every_key_past_comments_and_padding() {
    let text = "# Assay\n\n  serial=com2   # the second\nafter=linger:60 display=off\n   \n\0serial=bad";
    let (config, errors) = read(text);
    assert_eq!(errors, Vec::<String>::new());
    let serial = uart(Registers::Port(0x2f8), 115_200);
    assert_eq!(config, Config { serial, after: Some(After::Linger(60)), display: Some(false) });
}

#[test]
fn knows_the_words_that_vmms_add_for_linux_and_no_others() {
    let added = "pci=off root=/dev/vda ro virtio_mmio.device=4K@0xd0000000:5 reboot=k panic=1 nomodule 8250.nr_uarts=0 \
                 i8042.noaux i8042.nomux i8042.dumbkbd swiotlb=noforce";
    assert!(added.split(' ').all(is_vmms));
    for word in ["quiet", "console=ttyS0", "seral=com2", "serial=com2", "after=reboot", "roots", "=ro", ""] {
        assert!(!is_vmms(word), "{word}");
    }
    assert!(!KEYS.iter().any(|key| is_vmms(key)));
}

#[test]
fn reads_every_form_of_serial() {
    let memory = |address, stride, wide| Registers::Memory { address, stride, wide };
    assert_eq!(serial_of("none"), Some(Serial::None));
    assert_eq!(serial_of("com1"), Some(Serial::Uart(Uart::COM1)));
    assert_eq!(serial_of("com4,baud:9600"), uart(Registers::Port(0x2e8), 9600));
    assert_eq!(serial_of("port:0xc050"), uart(Registers::Port(0xc050), 115_200));
    assert_eq!(serial_of("port:1016"), uart(Registers::Port(0x3f8), 115_200));
    assert_eq!(serial_of("mmio:0xfe032000"), uart(memory(0xfe03_2000, 1, false), 115_200));
    assert_eq!(serial_of("mmio:0xfe032000,stride:4,baud:57600"), uart(memory(0xfe03_2000, 4, true), 57_600));
}

#[test]
fn passes_over_what_no_serial_port_can_be() {
    for bad in [
        "",
        "com5",
        "com1,",
        "com1,stride:4",
        "com1,baud:0",
        "com1,baud:1",
        "com1,baud:100000",
        "com1,baud:9600,baud:9600",
        "port:0x60",
        "port:0xfff9",
        "port:0x10000",
        "port:",
        "port:+1016",
        "mmio:0",
        "mmio:0xfe032001,stride:4",
        "mmio:0xfe032ff8,stride:4",
        "mmio:0xfe032000,stride:3",
        "mmio:0x10000000000000",
        "none,baud:9600",
    ] {
        assert_eq!(serial_of(bad), None, "{bad}");
    }
}

#[test]
fn names_the_line_and_the_word_and_goes_on() {
    let (config, errors) = read("after=never\nquiet seriel=com1\n\nafter=reboot after=poweroff");
    assert_eq!(config, Config { after: Some(After::Reboot), ..Config::default() });
    assert_eq!(
        errors,
        [
            "line 1: \"after=never\": expected after=poweroff, reboot, linger:SECONDS or stay:SECONDS, at most 4000000",
            "line 2: \"quiet\": expected KEY=VALUE",
            "line 2: \"seriel=com1\": expected serial=, after= or display=",
            "line 4: \"after=poweroff\": expected each key once; the first holds",
        ]
    );
}

#[test]
fn what_is_set_wins_over_what_is_set_elsewhere() {
    let (line, file) = (read("after=reboot").0, read("after=poweroff display=off").0);
    let expected = Config { after: Some(After::Reboot), display: Some(false), serial: None };
    assert_eq!(line.or(file), expected);
}

#[test]
fn a_lingering_time_fits_in_milliseconds() {
    assert!(MAX_LINGER_S.checked_mul(1000).is_some());
    assert_eq!(read("after=linger:4000000").0.after, Some(After::Linger(MAX_LINGER_S)));
    assert_eq!(read("after=linger:4000001").0.after, None);
    assert_eq!(read("after=stay:4000000").0.after, Some(After::Stay(MAX_LINGER_S)));
    for bad in ["after=stay:4000001", "after=stay:", "after=stay", "after=stay:-1"] {
        assert_eq!(read(bad).0.after, None, "{bad}");
    }
}

proptest! {
    #[test]
    fn never_panics_and_every_uart_is_reachable(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        port in any::<u64>(),
        stride in 0_u8..20,
    ) {
        let _ = Config::read(&bytes, |error| assert!(!error.expected.is_empty()));
        let (config, _) = read(&std::format!("serial=mmio:{port:#x},stride:{stride}"));
        if let Some(Serial::Uart(Uart { registers: Registers::Memory { address, .. }, .. })) = config.serial {
            prop_assert!(address % 4096 + 7 * u64::from(stride) < 4096);
        }
    }
}
