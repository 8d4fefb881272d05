//! Random numbers made from a request's `seed`.

/// A source of random numbers: equal seeds and purposes give equal numbers, on every machine.
///
/// ```
/// use muxel_sdk::Draws;
///
/// let heads = Draws::new(7, "a coin").share() < 0.5;
/// assert_eq!(heads, Draws::new(7, "a coin").share() < 0.5);
/// ```
///
/// A seed of 0 means that `seed` was not named in `reads`, or was withheld: then nothing is random, and an honest
/// `propensity` is 1.
#[derive(Clone, Debug)]
pub struct Draws {
    state: u64,
}

impl Draws {
    /// The numbers of `seed` for one `purpose`. Another purpose gives other numbers: the host and other plugins draw from
    /// the same seed, and two draws from the same number would always come out alike.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a.
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self { state: seed ^ purpose.bytes().fold(0xcbf2_9ce4_8422_2325, hash) }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 to 1, never 1 itself: under `share` in `share` of all cases.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_and_belong_to_their_purpose() {
        let count = |share: f64| (1..=20_000).filter(|seed| Draws::new(*seed, "this").share() < share).count();
        assert!((9_700..10_300).contains(&count(0.5)) && (300..500).contains(&count(0.02)));
        let alike = |seed: &u64| (Draws::new(*seed, "this").share() < 0.5) == (Draws::new(*seed, "that").share() < 0.5);
        assert!((9_700..10_300).contains(&(1..=20_000).filter(alike).count()));
    }
}
