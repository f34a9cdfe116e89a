//! Which sets of instructions code in ring 3 can use on this CPU (Intel SDM vol. 1, "Programming with AVX" and
//! "Programming with Intel AVX-512"; the levels are those of the x86-64 psABI, "x86-64 micro-architecture levels").
#![expect(unsafe_code, reason = "XGETBV")]

use core::arch::asm;

use abi::grant::{Feature, FeatureSet};

use super::cpuid::{bit, leaf};

/// CPUID.1:ECX.
const SSSE3: u32 = 9;
const FMA: u32 = 12;
const SSE4_1: u32 = 19;
const MOVBE: u32 = 22;
const OSXSAVE: u32 = 27;
const AVX: u32 = 28;
const F16C: u32 = 29;
/// CPUID.(7,0):EBX.
const BMI1: u32 = 3;
const AVX2: u32 = 5;
const BMI2: u32 = 8;
const AVX512_F: u32 = 16;
const AVX512_DQ: u32 = 17;
const AVX512_CD: u32 = 28;
const SHA: u32 = 29;
const AVX512_BW: u32 = 30;
const AVX512_VL: u32 = 31;
/// CPUID.8000_0001H:ECX.
const LZCNT: u32 = 5;

/// The state of SSE and AVX in XCR0.
pub const XCR0_AVX: u64 = 0b110;
/// The state of AVX-512: the masks, the upper halves of ZMM0 to ZMM15, and ZMM16 to ZMM31.
pub const XCR0_AVX512: u64 = 0b1110_0000;

/// What CPUID and XCR0 say of one CPU.
#[derive(Clone, Copy, Debug, Default)]
struct Cpu {
    /// CPUID.1:ECX.
    basic: u32,
    /// CPUID.(7,0):EBX.
    structured: u32,
    /// CPUID.8000_0001H:ECX.
    extended: u32,
    /// XCR0; 0 if the system has not enabled XSAVE.
    xcr0: u64,
}

/// The features of the CPU that this runs on, which the system has enabled.
#[must_use]
pub fn of_this_cpu() -> FeatureSet {
    let basic = leaf(1, 0).ecx;
    let xcr0 = if bit(basic, OSXSAVE) { xcr0() } else { 0 };
    Cpu { basic, structured: leaf(7, 0).ebx, extended: leaf(0x8000_0001, 0).ecx, xcr0 }.features()
}

impl Cpu {
    fn features(self) -> FeatureSet {
        let all = |register, bits: &[u32]| bits.iter().all(|&n| bit(register, n));
        let enabled = |state| self.xcr0 & state == state;
        let avx2 = enabled(XCR0_AVX)
            && all(self.basic, &[FMA, MOVBE, AVX, F16C])
            && all(self.structured, &[BMI1, AVX2, BMI2])
            && bit(self.extended, LZCNT);
        let avx512 = avx2
            && enabled(XCR0_AVX512)
            && all(self.structured, &[AVX512_F, AVX512_DQ, AVX512_CD, AVX512_BW, AVX512_VL]);
        let sha_ni = bit(self.structured, SHA) && all(self.basic, &[SSSE3, SSE4_1]);
        [(Feature::Avx2, avx2), (Feature::Avx512, avx512), (Feature::ShaNi, sha_ni)]
            .into_iter()
            .filter(|&(_, there)| there)
            .fold(FeatureSet::NONE, |set, (feature, _)| set.with(feature))
    }
}

/// XCR0. CR4.OSXSAVE is on.
fn xcr0() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: CPUID says that the system has enabled XSAVE, so XGETBV exists in every ring; XCR0 has the number 0.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3: Cpu = Cpu {
        basic: 1 << FMA | 1 << MOVBE | 1 << AVX | 1 << F16C | 1 << SSSE3 | 1 << SSE4_1,
        structured: 1 << BMI1 | 1 << AVX2 | 1 << BMI2,
        extended: 1 << LZCNT,
        xcr0: 0b111,
    };

    #[test]
    fn a_feature_needs_every_instruction_and_its_state() {
        let avx2 = FeatureSet::NONE.with(Feature::Avx2);
        assert_eq!(V3.features(), avx2);
        for less in [
            Cpu { basic: V3.basic & !(1 << F16C), ..V3 },
            Cpu { structured: V3.structured & !(1 << BMI2), ..V3 },
            Cpu { extended: 0, ..V3 },
            Cpu { xcr0: 0b011, ..V3 },
            Cpu { xcr0: 0, ..V3 },
        ] {
            assert_eq!(less.features(), FeatureSet::NONE, "{less:?}");
        }
    }

    #[test]
    fn avx512_needs_its_own_state_and_sha_needs_none() {
        let v4 = 1 << AVX512_F | 1 << AVX512_DQ | 1 << AVX512_CD | 1 << AVX512_BW | 1 << AVX512_VL;
        let cpu = Cpu { structured: V3.structured | v4 | 1 << SHA, xcr0: 0b1110_0111, ..V3 };
        let avx2_sha = FeatureSet::NONE.with(Feature::Avx2).with(Feature::ShaNi);
        assert_eq!(cpu.features(), avx2_sha.with(Feature::Avx512));
        assert_eq!(Cpu { xcr0: 0b111, ..cpu }.features(), avx2_sha);
        assert_eq!(Cpu { xcr0: 0, ..cpu }.features(), FeatureSet::NONE.with(Feature::ShaNi));
    }

    #[test]
    fn agrees_with_the_compilers_detection() {
        let ours = of_this_cpu();
        let std = std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("fma")
            && std::is_x86_feature_detected!("bmi2");
        assert_eq!(ours.has(Feature::Avx2), std);
        assert_eq!(ours.has(Feature::ShaNi), std::is_x86_feature_detected!("sha"));
    }
}
