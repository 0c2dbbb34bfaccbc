//! What callers may have for the claims that routes are bound to: each claim by itself.

use crate::claims::ClaimPath;
use crate::config::Config;
use crate::credential::CredentialKind;
use crate::rules::{Bindings, Bound, SafeText};
use crate::verify::ClaimRule;

/// A claim, and what a caller may have for it; the first is the usual.
pub(super) type Choices<'a> = (&'a ClaimPath, Vec<Bound>);

/// The claim with one value, or with none, and with something else beside it that may not stand in a policy, or without.
pub(super) fn bound(value: Option<&str>, has_unsafe: bool) -> Bound {
    Bound { values: value.and_then(SafeText::new).into_iter().collect(), has_unsafe }
}

/// All combinations, or where they are more than `most`, each claim varied while the others are as usual, and whether
/// these are all.
pub(super) fn varied<'a>(choices: &[Choices<'a>], most: usize) -> (Vec<Bindings<'a>>, bool) {
    let count = choices.iter().try_fold(1_usize, |product, (_, own)| product.checked_mul(own.len()));
    if count.is_some_and(|count| count <= most) {
        let longer = |some: Vec<Vec<(&'a ClaimPath, Bound)>>, (claim, own): &Choices<'a>| {
            let with = |start: &Vec<(&'a ClaimPath, Bound)>, bound: &Bound| {
                [start.as_slice(), &[(*claim, bound.clone())]].concat()
            };
            some.iter().flat_map(|start| own.iter().map(move |bound| with(start, bound))).collect()
        };
        let all = choices.iter().fold(vec![Vec::new()], longer);
        return (all.into_iter().map(Bindings::supposed).collect(), true);
    }
    let nth = |(claim, own): &Choices<'a>, choice| (*claim, own.get(choice).cloned().unwrap_or_default());
    let one = choices.iter().enumerate().flat_map(|(changed, (_, own))| {
        (0..own.len()).filter(move |choice| *choice > 0 || changed == 0).map(move |choice| {
            let pick = |(position, other)| nth(other, if position == changed { choice } else { 0 });
            Bindings::supposed(choices.iter().enumerate().map(pick).collect())
        })
    });
    (one.take(most).collect(), false)
}

/// Whether no token is taken without the claim.
pub(super) fn is_always_there(claim: &ClaimPath, config: &Config) -> bool {
    let asks = |rule: &ClaimRule| match rule {
        ClaimRule::Present(any) | ClaimRule::Text(any) => any.iter().all(|asked| asked == claim),
        ClaimRule::Value { claim: asked, .. } | ClaimRule::Kind { claim: asked, .. } => asked == claim,
        ClaimRule::Past(_)
        | ClaimRule::KindIfThere { .. }
        | ClaimRule::NotKind { .. }
        | ClaimRule::Absent(_) => false,
    };
    let is_looked_up = |kind: &CredentialKind| {
        matches!(kind, CredentialKind::ApiKey | CredentialKind::Basic | CredentialKind::Custom(_))
    };
    config.expectations().next().is_some()
        && !config.credential_kinds().iter().any(is_looked_up)
        && config.expectations().all(|expected| expected.claims().iter().any(asks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_claim_is_varied_by_itself() {
        let (one, other) = (ClaimPath::of(["one"]), ClaimPath::of(["other"]));
        let own = || vec![bound(Some("own"), false), bound(None, false), bound(Some("own"), true)];
        let choices = [(&one, own()), (&other, own())];
        let (all, is_complete) = varied(&choices, 9);
        assert_eq!((all.len(), is_complete), (9, true));
        let (some, is_complete) = varied(&choices, 8);
        assert_eq!((some.len(), is_complete), (5, false));
        for found in [all, some] {
            let is_alone = |bindings: &Bindings<'_>| {
                bindings.of(&one).values.is_empty() && !bindings.of(&other).values.is_empty()
            };
            assert!(found.iter().any(is_alone));
            assert_eq!(found.first().map(|first| first.of(&one)), Some(&bound(Some("own"), false)));
        }
    }
}
