//! The sequence and receipt chain: what a request does to an installation's head (protocol, 2, point 5).
//!
//! Pure on plain data: the caller has verified every signature and has read the row under its lock.

use crate::{Policy, Timestamp};

/// A SHA-256 value.
pub type Digest = [u8; 32];

/// Where an installation's chain stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Epoch of the last answer.
    pub epoch: u64,
    /// Branch of the last answer.
    pub branch: u64,
    /// Sequence number of the last answer; 0 after the activation.
    pub seq: u64,
    /// `H` of the last answer.
    pub head: Digest,
    /// `H` of the last request.
    pub req: Digest,
    /// The tips left behind, oldest first, at most [`MAX_SUPERSEDED`].
    pub superseded: Vec<Tip>,
}

/// The tip of a branch that was left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Branch.
    pub branch: u64,
    /// Sequence number.
    pub seq: u64,
    /// `H` of its answer.
    pub head: Digest,
    /// `H` of its request.
    pub req: Digest,
}

/// How many tips left behind are remembered (X9).
pub const MAX_SUPERSEDED: usize = 16;
/// The first number that a sequence may not reach: JSON readers lose integers from there on.
pub const SEQ_END: u64 = 1 << 53;

/// What a verified request says of its place in the chain.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// `H` of the request.
    pub hash: Digest,
    /// Its sequence number.
    pub seq: u64,
    /// `H` of the last answer its sender holds.
    pub prev: Digest,
    /// `H` of the sender's own requests since.
    pub unanswered: &'a [Digest],
    /// Whether the challenge it carries is the one for the present head; none without a rejoin.
    pub rejoin: Option<Rejoin>,
    /// An answer of ours that rides along, its signature verified and its installation checked.
    pub held: Option<Held>,
}

/// What a rejoin shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejoin {
    /// The challenge is the one for the present head.
    pub challenge_is_valid: bool,
    /// `H` of the answer it claims to hold.
    pub held: Digest,
}

/// A genuine answer of ours, as its holder showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// `H` of it.
    pub hash: Digest,
    /// Its epoch.
    pub epoch: u64,
    /// Its branch.
    pub branch: u64,
    /// Its sequence number.
    pub seq: u64,
}

/// What a request does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The last request again: the stored answer is signed again, nothing changes.
    Repeat,
    /// It continues the chain on this branch.
    Extend {
        /// The branch it continues.
        branch: u64,
    },
    /// It comes back from elsewhere and shows what it holds.
    Rejoin {
        /// How that is understood.
        class: RejoinClass,
        /// The branch from now on.
        branch: u64,
        /// Whether the present head is left behind as a superseded tip.
        leaves_tip: bool,
    },
    /// Nothing changes; the sender is told how to rejoin.
    OutOfStep,
    /// A genuine answer exists that the store lacks: the store lost data without stepping the epoch (C7).
    Amnesia,
}

/// How a rejoin is understood; the first that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejoinClass {
    /// We were restored from a backup; the sender was ahead of it (C6).
    ServerRestored,
    /// It stands at the tip of a branch that was left: two machines are alive (C5).
    Clone,
    /// It stands at an earlier point: the machine was set back (C5).
    SetBack,
}

/// Decides what a request does to the head ("Decision").
///
/// `current_epoch` is the server's. A repeat, a request that continues, and nothing else moves a chain without a signed
/// rejoin, so a replayed request of a victim can do no harm (C4).
pub fn decide(head: &Head, current_epoch: u64, step: &Step<'_>) -> Decision {
    if step.hash == head.req && step.seq == head.seq {
        return Decision::Repeat;
    }
    if let Some(held) = step.held {
        let from_the_future = held.epoch > current_epoch;
        // Sequence numbers grow over all branches, so what is above the head was never answered by what we hold.
        let unknown_to_us = held.epoch == current_epoch
            && (held.seq > head.seq || (held.epoch, held.seq) == (head.epoch, head.seq) && held.hash != head.head);
        if from_the_future || unknown_to_us {
            return Decision::Amnesia;
        }
    }
    let continues = step.prev == head.head || step.unanswered.contains(&head.req);
    if step.rejoin.is_none() && step.seq > head.seq && step.seq < SEQ_END && continues {
        return Decision::Extend { branch: head.branch };
    }
    match (step.rejoin, step.held) {
        (Some(rejoin), Some(held))
            if rejoin.challenge_is_valid
                && rejoin.held == held.hash
                && step.seq > head.seq.max(held.seq)
                && step.seq < SEQ_END =>
        {
            classify(head, current_epoch, step, held)
        }
        _ => Decision::OutOfStep,
    }
}

fn classify(head: &Head, current_epoch: u64, step: &Step<'_>, held: Held) -> Decision {
    let ahead = (held.epoch, held.seq) > (head.epoch, head.seq);
    if head.epoch < current_epoch && held.epoch < current_epoch && ahead {
        return Decision::Rejoin { class: RejoinClass::ServerRestored, branch: held.branch, leaves_tip: false };
    }
    let at_a_tip = |tip: &Tip| tip.head == held.hash || step.unanswered.contains(&tip.req);
    let class = if head.superseded.iter().any(at_a_tip) { RejoinClass::Clone } else { RejoinClass::SetBack };
    Decision::Rejoin { class, branch: head.branch + 1, leaves_tip: true }
}

/// Whether an installation has rejoined so often that a person should look, whatever the classes were (C13).
pub fn rejoins_need_a_person(rejoined_at: &[Timestamp], now: Timestamp, policy: &Policy) -> bool {
    recent(rejoined_at, now, policy) > policy.rejoins_unflagged as usize
}

/// How many of some instants are within the days over which rejoins and moves between hosts are counted.
pub(crate) fn recent(instants: &[Timestamp], now: Timestamp, policy: &Policy) -> usize {
    let since = now.plus_days(-i64::from(policy.rejoin_window_days));
    instants.iter().filter(|at| **at > since && **at <= now).count()
}

impl Head {
    /// The superseded tips once the present head is left, oldest first, bounded.
    pub fn leave(&self) -> Vec<Tip> {
        let mut tips = self.superseded.clone();
        tips.push(Tip { branch: self.branch, seq: self.seq, head: self.head, req: self.req });
        let surplus = tips.len().saturating_sub(MAX_SUPERSEDED);
        tips.split_off(surplus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        [n; 32]
    }
    fn head() -> Head {
        Head { epoch: 1, branch: 0, seq: 7, head: digest(7), req: digest(107), superseded: Vec::new() }
    }
    fn step(seq: u64, prev: u8) -> Step<'static> {
        Step { hash: digest(200), seq, prev: digest(prev), unanswered: &[], rejoin: None, held: None }
    }

    #[test]
    fn decisions_of_the_table() {
        let extend = Decision::Extend { branch: 0 };
        assert_eq!(decide(&head(), 1, &step(8, 7)), extend, "extension");
        assert_eq!(decide(&head(), 1, &step(90, 7)), extend, "gap with right prev");
        assert_eq!(decide(&head(), 1, &step(7, 7)), Decision::OutOfStep, "same seq, other bytes");
        assert_eq!(decide(&head(), 1, &step(6, 7)), Decision::OutOfStep, "lower seq");
        assert_eq!(decide(&head(), 1, &step(8, 6)), Decision::OutOfStep, "wrong prev");
        assert_eq!(decide(&head(), 1, &step(SEQ_END, 7)), Decision::OutOfStep, "beyond the last number");
        let repeat = Step { hash: digest(107), ..step(7, 6) };
        assert_eq!(decide(&head(), 1, &repeat), Decision::Repeat, "repeat");
        let sent = [digest(106), digest(107)];
        assert_eq!(decide(&head(), 1, &Step { unanswered: &sent, ..step(8, 6) }), extend, "the answer was lost");
    }

    fn rejoin(held: Held, valid: bool) -> Step<'static> {
        let rejoin = Rejoin { challenge_is_valid: valid, held: held.hash };
        Step { rejoin: Some(rejoin), held: Some(held), ..step(9, 3) }
    }

    #[test]
    fn rejoins_are_told_apart() {
        let old = Held { hash: digest(3), epoch: 1, branch: 0, seq: 3 };
        let back = Decision::Rejoin { class: RejoinClass::SetBack, branch: 1, leaves_tip: true };
        assert_eq!(decide(&head(), 1, &rejoin(old, true)), back);
        assert_eq!(decide(&head(), 1, &rejoin(old, false)), Decision::OutOfStep, "a stale challenge");
        let mut forked = head();
        forked.superseded = vec![Tip { branch: 0, seq: 3, head: digest(3), req: digest(103) }];
        let clone = Decision::Rejoin { class: RejoinClass::Clone, branch: 1, leaves_tip: true };
        assert_eq!(decide(&forked, 1, &rejoin(old, true)), clone);
        let ahead = Held { hash: digest(9), epoch: 1, branch: 0, seq: 8 };
        let restored = Decision::Rejoin { class: RejoinClass::ServerRestored, branch: 0, leaves_tip: false };
        assert_eq!(decide(&head(), 2, &rejoin(ahead, true)), restored);
        assert_eq!(decide(&head(), 1, &rejoin(ahead, true)), Decision::Amnesia, "ours, of this epoch, unknown to us");
        let future = Held { epoch: 3, ..old };
        assert_eq!(decide(&head(), 2, &rejoin(future, true)), Decision::Amnesia);
    }

    #[test]
    fn tips_left_behind_are_bounded() {
        let mut head = head();
        for n in 0..20 {
            head.superseded = head.leave();
            head.seq += 1;
            assert!(head.superseded.len() <= MAX_SUPERSEDED, "{n}");
        }
        assert_eq!(head.superseded.first().map(|tip| tip.seq), Some(11), "the oldest are dropped");
    }

    #[test]
    fn a_rejoin_goes_beyond_what_it_holds() {
        let ahead = Held { hash: digest(9), epoch: 1, branch: 0, seq: 9 };
        assert_eq!(decide(&head(), 2, &rejoin(ahead, true)), Decision::OutOfStep, "its own seq is not above it");
    }

    #[test]
    fn the_fourth_rejoin_of_a_month_is_flagged() {
        let now = Timestamp::from_secs(100 * 86_400);
        let at = |days_ago: &[i64]| days_ago.iter().map(|days| now.plus_days(-days)).collect::<Vec<_>>();
        let policy = Policy::default();
        assert!(!rejoins_need_a_person(&at(&[0, 10, 30]), now, &policy));
        assert!(rejoins_need_a_person(&at(&[0, 10, 20, 30]), now, &policy));
        assert!(!rejoins_need_a_person(&at(&[0, 10, 20, 31]), now, &policy));
    }
}
