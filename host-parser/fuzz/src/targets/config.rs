//! A boot configuration: whatever it says is understood or named, and what is understood can be reached.

use abi::config::{After, Config, MAX_LINGER_S, Registers, Serial};

pub(crate) fn check(data: &[u8]) {
    let mut named = 0;
    let config = Config::read(data, |error| {
        assert!(error.line > 0 && !error.expected.is_empty());
        named += 1;
    });
    if let Some(Serial::Uart(uart)) = config.serial {
        assert!(uart.baud.is_some_and(|baud| baud > 1 && 115_200 % baud == 0));
        match uart.registers {
            Registers::Port(port) => assert!((0x100..=0xfff8).contains(&port)),
            Registers::Memory { address, stride, wide } => {
                assert!(address != 0 && address % u64::from(stride) == 0 && wide == (stride >= 4));
                assert_eq!(address / 4096, (address + 7 * u64::from(stride) + 3 * u64::from(wide)) / 4096);
            }
        }
        // What a record says of it, the kernel would take again.
        let word = format!("serial={}", uart.registers);
        let again = Config::read(word.as_bytes(), |error| panic!("{error}"));
        assert!(matches!(again.serial, Some(Serial::Uart(other)) if other.registers == uart.registers));
    }
    if let Some(After::Linger(seconds)) = config.after {
        assert!(seconds <= MAX_LINGER_S);
    }
    let words = data.split(|&byte| byte == 0).next().unwrap_or_default();
    if named == 0 && words.iter().all(u8::is_ascii_whitespace) {
        assert_eq!(config, Config::default());
    }
}
