//! The programs' memory functions against the standard library's, at every length and overlap that takes another path.

/// The very file that the programs are built from, here under other names: this program has libc's.
#[path = "../../programs/src/mem.rs"]
mod mem;

mem::memory_functions!("own_", "../../programs/src/mem.s");

unsafe extern "C" {
    fn own_memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8;
    fn own_memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8;
    fn own_memset(to: *mut u8, value: i32, bytes: usize) -> *mut u8;
    fn own_memcmp(one: *const u8, other: *const u8, bytes: usize) -> i32;
    fn own_bcmp(one: *const u8, other: *const u8, bytes: usize) -> i32;
    fn own_strlen(text: *const u8) -> usize;
}

/// Every length below two turns of the widest loop, and its neighbours.
const LENGTHS: std::ops::Range<usize> = 0..150;

fn numbered(bytes: usize) -> Vec<u8> {
    (0..).map(|at: u32| at.wrapping_mul(167).to_le_bytes()[0]).take(bytes).collect()
}

#[test]
fn copies_every_length_and_nothing_else() {
    for bytes in LENGTHS {
        let from = numbered(bytes);
        let mut to = vec![0xee; bytes + 32];
        let at = to[16..].as_mut_ptr();
        // SAFETY: both ranges have that many bytes.
        assert_eq!(unsafe { own_memcpy(at, from.as_ptr(), bytes) }, at);
        assert_eq!(&to[16..16 + bytes], from, "{bytes} bytes");
        assert!(to[..16].iter().chain(&to[16 + bytes..]).all(|&byte| byte == 0xee), "{bytes} bytes");
    }
}

#[test]
fn moves_every_overlap() {
    for bytes in LENGTHS {
        for (from, to) in (0..70).map(|apart| (0, apart)).chain((0..70).map(|apart| (apart, 0))) {
            let mut own = numbered(bytes + 70);
            let mut expected = own.clone();
            expected.copy_within(from..from + bytes, to);
            let [source, target] = [from, to].map(|at| own.as_mut_ptr().wrapping_add(at));
            // SAFETY: both ranges lie in the vector.
            assert_eq!(unsafe { own_memmove(target, source, bytes) }, target);
            assert_eq!(own, expected, "{bytes} bytes from {from} to {to}");
        }
    }
}

#[test]
fn sets_every_length_and_nothing_else() {
    for bytes in LENGTHS {
        let mut own = vec![0xee; bytes + 32];
        let at = own[16..].as_mut_ptr();
        // Only the low byte of the value counts.
        // SAFETY: the range has that many bytes.
        assert_eq!(unsafe { own_memset(at, 0x1_23ab, bytes) }, at);
        assert!(own[16..16 + bytes].iter().all(|&byte| byte == 0xab), "{bytes} bytes");
        assert!(own[..16].iter().chain(&own[16 + bytes..]).all(|&byte| byte == 0xee), "{bytes} bytes");
    }
}

#[test]
fn compares_by_the_first_byte_that_differs() {
    for bytes in 0..70 {
        let one = numbered(bytes);
        let compared = |other: &[u8]| {
            // SAFETY: both have that many bytes.
            let order = unsafe { own_memcmp(one.as_ptr(), other.as_ptr(), bytes) };
            // SAFETY: as above.
            let differs = unsafe { own_bcmp(one.as_ptr(), other.as_ptr(), bytes) };
            assert_eq!(differs != 0, one != other);
            order.cmp(&0)
        };
        assert_eq!(compared(&one), std::cmp::Ordering::Equal);
        for at in 0..bytes {
            for change in [1, 0x7f, 0xff] {
                let mut other = one.clone();
                other[at] = other[at].wrapping_add(change);
                assert_eq!(compared(&other), one.cmp(&other), "byte {at} of {bytes}");
            }
        }
    }
}

#[test]
fn finds_the_end_of_text() {
    for text in [c"", c"a", c"forty-two"] {
        // SAFETY: it ends with a zero.
        assert_eq!(unsafe { own_strlen(text.as_ptr().cast()) }, text.count_bytes());
    }
}
