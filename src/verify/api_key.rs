//! [`ApiKey`]: the form of a key, `orders_…_…`: a prefix that says whose keys these are, a public ID, and a secret with a checksum.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use aws_lc_rs::hmac;

/// The text of a key, in its form. Secret, so that nothing shows it.
#[derive(Clone, Copy)]
pub struct ApiKey<'a> {
    text: &'a str,
    id: &'a str,
}

/// The form of the public ID: so many letters and digits, which nobody else has by chance.
const ID: usize = 16;

/// The form of the secret: so many letters and digits, which are more than 256 bits.
const SECRET: usize = 43;

/// So many digits of base 62 hold 32 bits.
const CHECKSUM: usize = 6;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl<'a> ApiKey<'a> {
    /// Whether somebody means it as a key of this prefix. What does, and is none, is not tried as anything else: a damaged key would
    /// be shown to whoever is asked about other credentials.
    #[must_use]
    pub fn is_meant(text: &str, prefix: &str) -> bool {
        text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
    }

    /// A key of this prefix; `None` where the form does not hold, or the checksum: that of a key which nobody has made, so that nobody
    /// need be asked about it.
    #[must_use]
    pub fn parse(text: &'a str, prefix: &str) -> Option<Self> {
        let rest = text.strip_prefix(prefix)?.strip_prefix('_')?;
        let (id, secret) = rest.split_once('_')?;
        let is_formed =
            id.len() == ID && secret.len() == SECRET + CHECKSUM && is_base62(id) && is_base62(secret);
        let (body, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
        (is_formed && sum == checksum(body)).then_some(Self { text, id })
    }

    /// Puts a key together, out of random letters and digits; `None` where these are too few, or others.
    ///
    /// ```
    /// use lambda_authorizer::verify::ApiKey;
    ///
    /// let text = ApiKey::assemble("orders", &"i".repeat(16), &"s".repeat(43)).expect("letters");
    /// assert_eq!(ApiKey::parse(&text, "orders").map(|key| key.id().to_owned()), Some("i".repeat(16)));
    /// assert!(ApiKey::parse(&text, "others").is_none());
    /// ```
    #[must_use]
    pub fn assemble(prefix: &str, id: &str, secret: &str) -> Option<String> {
        let body = format!("{prefix}_{id}_{secret}");
        let text = format!("{body}{}", checksum(&body));
        ApiKey::parse(&text, prefix).is_some().then_some(text)
    }

    /// How many random letters and digits [`assemble`](Self::assemble) takes: for the ID, and for the secret.
    pub const LENGTHS: (usize, usize) = (ID, SECRET);

    /// The letters and digits.
    pub const ALPHABET: &'static [u8; 62] = DIGITS;

    /// The public part, by which it is looked up.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// What is stored in place of the key: HMAC-SHA-256 of it, under its own salt, and where there is a pepper, under a key that only
    /// who has the pepper can make of that. A hash that is made to be slow would gain nothing: nobody guesses 256 bits.
    #[must_use]
    pub fn hash(&self, salt: &[u8], pepper: Option<&[u8]>) -> [u8; SHA256_OUTPUT_LEN] {
        #[cfg(test)]
        tests::HASHES.with(|hashes| hashes.set(hashes.get() + 1));
        match pepper {
            None => mac(salt, self.text),
            Some(pepper) => mac(&mac_of(pepper, salt), self.text),
        }
    }

    /// Whether this is what is stored of the key. It takes the same time whatever is stored, and where nothing is.
    pub(super) fn is_stored_as(&self, stored: Option<&StoredHash>, pepper: Option<&[u8]>) -> bool {
        let (salt, expected) =
            stored.map_or((DECOY.as_slice(), &DECOY), |stored| (&stored.salt, &stored.hash));
        let is_same = verify_slices_are_equal(&self.hash(salt, pepper), expected).is_ok();
        is_same & stored.is_some()
    }
}

/// What is stored of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredHash {
    pub(super) salt: Vec<u8>,
    pub(super) hash: [u8; SHA256_OUTPUT_LEN],
}

/// What a key is compared with for which nothing is stored.
const DECOY: [u8; SHA256_OUTPUT_LEN] = [0; SHA256_OUTPUT_LEN];

fn mac(key: &[u8], text: &str) -> [u8; SHA256_OUTPUT_LEN] {
    mac_of(key, text.as_bytes())
}

fn mac_of(key: &[u8], message: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Of 32 bits of the SHA-256. It keeps typing errors off, and no attacker.
fn checksum(body: &str) -> String {
    let digest = digest(&SHA256, body.as_bytes());
    let number = digest.as_ref().iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let digits = (0..CHECKSUM as u32).rev().map(|place| number / 62_u32.pow(place) % 62);
    digits.filter_map(|digit| DIGITS.get(digit as usize)).map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// How many hashes were made on this thread.
        pub(super) static HASHES: Cell<usize> = const { Cell::new(0) };
    }

    const PREFIX: &str = "orders";

    fn key() -> String {
        let id: String = ('a'..='p').collect();
        let secret: String = ('A'..='Z').chain('a'..='q').collect();
        ApiKey::assemble(PREFIX, &id, &secret).unwrap()
    }

    fn is_key(text: &str) -> bool {
        ApiKey::parse(text, PREFIX).is_some()
    }

    #[test]
    fn a_key_has_one_form() {
        let text = key();
        assert!(is_key(&text) && text.len() == PREFIX.len() + 1 + 16 + 1 + 49);
        assert_eq!(ApiKey::parse(&text, PREFIX).unwrap().id(), "abcdefghijklmnop");
        for (length, secret) in [(15, 43), (17, 43), (16, 42), (16, 44), (0, 43), (16, 0)] {
            let made = ApiKey::assemble(PREFIX, &"a".repeat(length), &"b".repeat(secret));
            assert_eq!(made, None, "{length} {secret}");
        }
        for wrong in ["-", "_", " ", "é", "\u{0}"] {
            let secret = format!("{}{wrong}", "b".repeat(43 - wrong.len()));
            assert_eq!(ApiKey::assemble(PREFIX, &"a".repeat(16), &secret), None, "{wrong:?}");
        }
    }

    /// Damaged keys and guesses cost no question.
    #[test]
    fn no_letter_of_a_key_can_be_changed_left_out_or_added() {
        let text = key();
        for place in 0..text.len() {
            for letter in ['0', 'Z', 'z', '_', 'é'] {
                let (before, rest) = text.split_at(place);
                let (_, after) = rest.split_at(1);
                let changed = format!("{before}{letter}{after}");
                assert!(changed == text || !is_key(&changed), "{changed}");
                assert!(!is_key(&format!("{before}{letter}{rest}")));
                assert!(!is_key(&format!("{before}{after}")) && !is_key(before));
            }
        }
        for other in
            [format!("{text}x"), format!("x{text}"), format!("{text}{text}"), format!("{text},{text}")]
        {
            assert!(!is_key(&other), "{other}");
        }
        assert!(!is_key(&text.to_uppercase()) && !is_key(&text.to_lowercase()));
    }

    #[test]
    fn a_key_of_another_prefix_is_none_and_a_damaged_one_is_meant_as_one() {
        let text = key();
        for prefix in ["order", "orders2", "", "Orders", "orders_abcdefghijklmnop"] {
            assert!(ApiKey::parse(&text, prefix).is_none(), "{prefix}");
        }
        assert!(ApiKey::is_meant(&text, PREFIX) && ApiKey::is_meant("orders_", PREFIX));
        assert!(ApiKey::is_meant(text.split_at(20).0, PREFIX));
        for other in ["orders", "ordersx_", "Orders_", "eyJhbGciOiJFUzI1NiJ9.e30.AA", ""] {
            assert!(!ApiKey::is_meant(other, PREFIX), "{other}");
        }
    }

    /// What is stored of one key is of use for no other, nor with another salt or pepper.
    #[test]
    fn a_hash_is_of_its_key_its_salt_and_its_pepper() {
        let (one, other) = (key(), ApiKey::assemble(PREFIX, &"a".repeat(16), &"b".repeat(43)).unwrap());
        let [one, other] = [&one, &other].map(|text| ApiKey::parse(text, PREFIX).unwrap());
        let pepper = Some(b"pepper".as_slice());
        for own in [None, pepper] {
            let stored = StoredHash { salt: b"salt".to_vec(), hash: one.hash(b"salt", own) };
            assert!(one.is_stored_as(Some(&stored), own));
            assert!(!other.is_stored_as(Some(&stored), own));
            let salted = StoredHash { salt: b"other".to_vec(), ..stored.clone() };
            assert!(!one.is_stored_as(Some(&salted), own));
            for (wrong, _) in [(None, 0), (pepper, 0), (Some(b"paprika".as_slice()), 0)] {
                assert_eq!(one.is_stored_as(Some(&stored), wrong), wrong == own);
            }
        }
    }

    /// Who guesses learns nothing from the time that it takes: whether an ID exists costs one hash and one comparison either way.
    #[test]
    fn a_key_that_does_not_exist_costs_what_one_does_that_exists() {
        let text = key();
        let key = ApiKey::parse(&text, PREFIX).unwrap();
        let stored = StoredHash { salt: b"salt".to_vec(), hash: key.hash(b"salt", None) };
        let wrong = StoredHash { hash: [7; 32], ..stored.clone() };
        for (stored, expected) in [(None, false), (Some(&wrong), false), (Some(&stored), true)] {
            HASHES.with(|hashes| hashes.set(0));
            assert_eq!(key.is_stored_as(stored, None), expected);
            assert_eq!(HASHES.with(Cell::get), 1);
        }
    }

    /// Nobody is let in with what stands for nothing.
    #[test]
    fn nothing_is_stored_as_the_decoy() {
        let text = key();
        let key = ApiKey::parse(&text, PREFIX).unwrap();
        assert_ne!(key.hash(&DECOY, None), DECOY);
        assert!(!key.is_stored_as(None, None) && !key.is_stored_as(None, Some(b"pepper")));
    }
}
