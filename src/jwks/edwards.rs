//! Which 32 bytes are an Ed25519 key (RFC 8032, section 5.1.3).
//!
//! The signature library takes any bytes for a key. Half of them are no point of the curve, and verify
//! nothing. A few are points of small order, and verify signatures that nobody made (rule A4). The
//! numbers are public, so nothing here needs to take the same time for all of them.

/// Whether the bytes are the canonical encoding of a point of the curve whose order is not small.
pub(super) fn is_key(bytes: &[u8; 32]) -> bool {
    let mut y = *bytes;
    let [.., last] = &mut y;
    // The sign of x, which is never 0 but for two points of small order.
    *last &= 0x7f;
    is_reduced(&y) && !SMALL_ORDER.contains(&halves(&y)) && has_x(&y)
}

/// The y of the points of order 1, 2, 4 and 8: the lower 128 bits, and the upper.
const SMALL_ORDER: [[u128; 2]; 5] = [
    [1, 0],
    // -1.
    [0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffec, 0x7fff_ffff_ffff_ffff_ffff_ffff_ffff_ffff],
    [0, 0],
    [0xf098_eff2_89f4_c345_b027_b2c2_8f95_e826, 0x05fc_536d_8802_38b1_3933_c6d3_05ac_dfd5],
    // The negative of the one before.
    [0x0f67_100d_760b_3cba_4fd8_4d3d_706a_17c7, 0x7a03_ac92_77fd_c74e_c6cc_392c_fa53_202a],
];

fn halves(number: &[u8; 32]) -> [u128; 2] {
    let (low, high) = number.split_at(16);
    [low, high].map(|half| half.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

/// Whether the number is below 2^255 - 19, so that it has one encoding.
fn is_reduced(number: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = number;
    *last < 0x7f || middle.iter().any(|byte| *byte != 0xff) || *first < 0xed
}

/// Whether x² = (y² - 1) / (dy² + 1) has a solution: whether numerator times denominator is a square.
fn has_x(y: &[u8; 32]) -> bool {
    let y = Element::from_bytes(y);
    let square = y.times(y);
    let numerator = square.plus(MINUS_ONE);
    let denominator = square.times(D).plus(ONE);
    numerator.times(denominator).is_square()
}

/// A number modulo 2^255 - 19, as five times 51 bits, of which the second may be a little more: that
/// much is left over of the carry. Products stay far below 2^128.
#[derive(Clone, Copy)]
struct Element([u64; 5]);

const MASK: u64 = (1 << 51) - 1;
const ONE: Element = Element([1, 0, 0, 0, 0]);
const MINUS_ONE: Element = Element([MASK - 19, MASK, MASK, MASK, MASK]);
/// -121665 / 121666.
const D: Element =
    Element([0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff]);

impl Element {
    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let digits = bytes.iter().rev();
        digits.fold(Self([0; 5]), |number, digit| {
            number.times(Self([256, 0, 0, 0, 0])).plus(Self([u64::from(*digit), 0, 0, 0, 0]))
        })
    }

    fn plus(self, other: Self) -> Self {
        let (Self([a0, a1, a2, a3, a4]), Self([b0, b1, b2, b3, b4])) = (self, other);
        carried([a0 + b0, a1 + b1, a2 + b2, a3 + b3, a4 + b4].map(u128::from))
    }

    /// 2^255 is 19: what would lie above the fifth digit comes back at the first, times 19.
    fn times(self, other: Self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0.map(u128::from);
        let [b0, b1, b2, b3, b4] = other.0.map(u128::from);
        carried([
            a0 * b0 + 19 * (a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1),
            a0 * b1 + a1 * b0 + 19 * (a2 * b4 + a3 * b3 + a4 * b2),
            a0 * b2 + a1 * b1 + a2 * b0 + 19 * (a3 * b4 + a4 * b3),
            a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + 19 * (a4 * b4),
            a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0,
        ])
    }

    /// Euler's criterion: to the power of (p - 1) / 2 = 2^254 - 10, a square is 1, or 0.
    fn is_square(self) -> bool {
        // Its binary digits from the top.
        let digits = [true; 250].into_iter().chain([false, true, true, false]);
        let power = digits.fold(ONE, |power, digit| {
            let square = power.times(power);
            if digit { square.times(self) } else { square }
        });
        power.is(ONE) || power.is(Self([0; 5]))
    }

    /// Compares what both are modulo 2^255 - 19.
    fn is(self, other: Self) -> bool {
        self.reduced() == other.reduced()
    }

    fn reduced(self) -> [u64; 5] {
        // Twice: the first may carry into the first digit.
        let Self(digits) = carried(carried(self.0.map(u128::from)).0.map(u128::from));
        let [first, rest @ ..] = digits;
        let is_reduced = rest.iter().any(|digit| *digit != MASK) || first < MASK - 18;
        if is_reduced { digits } else { [first - (MASK - 18), 0, 0, 0, 0] }
    }
}

/// Hands on what does not fit into 51 bits.
fn carried(digits: [u128; 5]) -> Element {
    let mask = u128::from(MASK);
    let [d0, d1, d2, d3, d4] = digits;
    let d1 = d1 + (d0 >> 51);
    let d2 = d2 + (d1 >> 51);
    let d3 = d3 + (d2 >> 51);
    let d4 = d4 + (d3 >> 51);
    let d0 = (d0 & mask) + 19 * (d4 >> 51);
    let d1 = (d1 & mask) + (d0 >> 51);
    Element([d0 & mask, d1, d2 & mask, d3 & mask, d4 & mask].map(|digit| digit as u64))
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::edwards::CompressedEdwardsY;
    use proptest::prelude::*;

    use super::*;

    /// What a library that is made for this says.
    fn is_key_elsewhere(bytes: &[u8; 32]) -> bool {
        let point = CompressedEdwardsY(*bytes).decompress();
        point.is_some_and(|point| point.compress().to_bytes() == *bytes && !point.is_small_order())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn half_of_all_bytes_are_keys(bytes: [u8; 32]) {
            prop_assert_eq!(is_key(&bytes), is_key_elsewhere(&bytes));
        }
    }

    #[test]
    fn points_of_small_order_are_no_keys() {
        for point in EIGHT_TORSION {
            let bytes = point.compress().to_bytes();
            assert!(!is_key(&bytes) && !is_key_elsewhere(&bytes), "{bytes:?}");
        }
    }

    /// The few numbers that have two encodings, and their neighbours.
    #[test]
    fn an_encoding_that_is_not_canonical_is_no_key() {
        for first in 0..=u8::MAX {
            for last in [0x00, 0x7f, 0x80, 0xff] {
                for middle in [0x00, 0xff] {
                    let mut bytes = [middle; 32];
                    (bytes[0], bytes[31]) = (first, last);
                    assert_eq!(is_key(&bytes), is_key_elsewhere(&bytes), "{bytes:?}");
                }
            }
        }
    }
}
