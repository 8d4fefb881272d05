//! Places for requests under way. How many there are may change with a reload; who has one keeps it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The places that are taken.
#[derive(Debug, Default)]
pub(crate) struct Places {
    taken: AtomicUsize,
}

/// One place. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
}

impl Places {
    /// A place, unless `most` are taken.
    pub(crate) fn take(self: &Arc<Self>, most: usize) -> Option<Place> {
        let next = |taken: usize| (taken < most).then_some(taken + 1);
        let took = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        took.is_ok().then(|| Place { places: Arc::clone(self) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_places_as_the_latest_configuration_says() {
        let places = Arc::new(Places::default());
        let first = places.take(1).expect("free");
        assert!(places.take(1).is_none());
        let second = places.take(2).expect("one more");
        drop(first);
        assert!(places.take(1).is_none(), "fewer than are still taken");
        drop(second);
        assert!(places.take(1).is_some());
    }
}
