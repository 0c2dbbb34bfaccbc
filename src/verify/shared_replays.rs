//! [`SharedReplays`]: the DPoP proofs that any process has taken, in a table that all of them share (RFC 9449, section 11.1).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::credential_verifier::{Opinion, SecondOpinion};
use super::database::Table;
use super::flights::{Failure, Flights};
use super::replays::UsedProof;
use super::verified_tokens::TokenDigest;
use super::{Presented, Principal};
use crate::error::{Error, Reason, Rejection};
use crate::io::UnixTime;

/// Writes down which proofs were used.
pub(super) struct SharedReplays {
    table: Arc<Table>,
    flights: Flights,
}

/// How long an item stays when its proof is too old, in seconds: clocks differ, and so do the lifetimes of two configurations while one
/// takes the place of the other.
const REMAINS: f64 = 600.0;

impl SharedReplays {
    pub(super) fn new(table: Arc<Table>) -> Self {
        Self { table, flights: Flights::default() }
    }

    /// Refuses a proof that another process has taken. To be asked when all else of the proof and of its token holds: nobody fills the
    /// table with anything else, or uses up a proof whose token he does not have.
    async fn refuse(
        &self,
        proof: UsedProof,
        principal: &Principal,
        now: UnixTime,
        patience: Duration,
    ) -> Result<(), Error> {
        let key = format!("dpop#{}", URL_SAFE_NO_PAD.encode(proof.name));
        let write = async {
            let request = request().ok_or_else(|| Failure::unusable("there are no random numbers"))?;
            let delete_at = (proof.ends_at + REMAINS).ceil() as u64;
            self.table.use_up(&key, &request, delete_at, patience).await.map_err(Failure::outage)
        };
        let written = self.flights.answer(TokenDigest::of(&key), (now, patience), || None, write).await;
        match written.map_err(|cause| self.table.fault(cause))? {
            true => Ok(()),
            false => Err(Rejection {
                reason: Reason::DpopProofReplayed,
                issuer: Some(Arc::clone(principal.issuer())),
                key_id: principal.key_id().map(str::to_owned),
            }
            .into()),
        }
    }
}

impl SecondOpinion for SharedReplays {
    fn check<'a>(
        &'a self,
        presented: &'a Presented<'a>,
        principal: &'a Principal,
        now: UnixTime,
        patience: Duration,
    ) -> Opinion<'a> {
        match presented.used_proof() {
            Some(proof) => Box::pin(self.refuse(proof, principal, now, patience)),
            None => Box::pin(async { Ok(()) }),
        }
    }
}

/// What no other request is called, in any process.
fn request() -> Option<String> {
    let mut request = [0; 16];
    rand::fill(&mut request).ok()?;
    Some(URL_SAFE_NO_PAD.encode(request))
}
