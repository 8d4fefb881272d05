//! Places for requests under way, and a line of those who wait for one.
//!
//! How many of both there may be changes with a reload; who has a place or waits for one is not affected. The order is
//! `line`'s; here it meets tasks that may leave at any time. A place is handed over whole: should the one who was called
//! have left in that moment, dropping it gives it to the next, so that no place is lost and nobody waits beside a free one.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::request::Priority;
use serde::Serialize;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use line::{Joined, Line, Ticket};
use pace::Pace;

mod line;
mod pace;

/// How many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) places: usize,
    /// Most that wait; with 0 nobody does.
    pub(crate) queue: usize,
}

#[derive(Debug)]
pub(crate) struct Places {
    hall: Mutex<Hall>,
}

/// While a place is free, nobody waits.
#[derive(Debug)]
struct Hall {
    limits: Limits,
    taken: usize,
    line: Line<oneshot::Sender<Place>>,
    pace: Pace,
    sent_away: SentAway,
}

/// Since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct SentAway {
    /// Had to leave the line for somebody of a higher priority.
    shed: u64,
    /// Found the line full.
    refused: u64,
    /// Waited as long as they might.
    timed_out: u64,
}

/// How many wait, and how many were sent away since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    waiting: usize,
    #[serde(flatten)]
    sent_away: SentAway,
}

/// One place. Dropping it gives it to the next.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    was_free: bool,
}

/// Why there is no place, and when one may be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPlace {
    pub(crate) why: Why,
    pub(crate) come_back: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The line is full of those who matter as much or more.
    Full,
    /// Somebody who matters more needed the place in the line.
    Shed,
    TimedOut,
}

/// Takes its ticket out of the line when it is dropped.
struct Standing<'p> {
    places: &'p Places,
    ticket: Ticket,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        let hall =
            Hall { limits, taken: 0, line: Line::default(), pace: Pace::default(), sent_away: SentAway::default() };
        Self { hall: Mutex::new(hall) }
    }

    /// Changes how many there may be. Who waits and now finds room gets it.
    pub(crate) fn limit(self: &Arc<Self>, limits: Limits) {
        let mut hall = self.hall();
        hall.limits = limits;
        self.hand_out(hall);
    }

    /// A place, at once or after a wait of at most `patience`. Whoever drops this waits no longer.
    pub(crate) async fn take(self: &Arc<Self>, priority: Priority, patience: Duration) -> Result<Place, NoPlace> {
        // Declared before `standing`, and so dropped after it: a place that is handed over while this is dropped is in
        // here, and goes to the next with it.
        let mut turn;
        let standing = {
            let mut hall = self.hall();
            if hall.taken < hall.limits.places {
                hall.seat(Instant::now());
                return Ok(Place { places: Arc::clone(self), was_free: true });
            }
            let (call, called) = oneshot::channel();
            let most = if patience.is_zero() { 0 } else { hall.limits.queue };
            match hall.line.join(priority, call, most) {
                // Who is shed learns it from the end of its channel.
                Joined::Waits { ticket, .. } => {
                    turn = called;
                    Standing { places: self, ticket }
                }
                Joined::Full => return Err(hall.send_away(priority, Why::Full)),
            }
        };
        match timeout(patience, &mut turn).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(self.hall().send_away(priority, Why::Shed)),
            Err(_) => {
                drop(standing);
                // It may have been called in the very last moment.
                turn.try_recv().map_err(|_| self.hall().send_away(priority, Why::TimedOut))
            }
        }
    }

    pub(crate) fn status(&self) -> Status {
        let hall = self.hall();
        Status { waiting: hall.line.len(), sent_away: hall.sent_away }
    }

    /// Calls those for whom there is room now.
    fn hand_out(self: &Arc<Self>, mut hall: MutexGuard<'_, Hall>) {
        let mut called = Vec::new();
        while hall.taken < hall.limits.places
            && let Some(next) = hall.line.call()
        {
            hall.seat(Instant::now());
            called.push(next);
        }
        // Places that come back while they are handed over need the lock.
        drop(hall);
        for next in called {
            drop(next.send(Place { places: Arc::clone(self), was_free: false }));
        }
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hall {
    fn seat(&mut self, now: Instant) {
        self.taken += 1;
        if self.taken >= self.limits.places {
            self.pace.full(now);
        }
    }

    fn send_away(&mut self, priority: Priority, why: Why) -> NoPlace {
        let SentAway { shed, refused, timed_out } = &mut self.sent_away;
        *match why {
            Why::Full => refused,
            Why::Shed => shed,
            Why::TimedOut => timed_out,
        } += 1;
        let come_back = self.pace.expect(self.line.ahead_of(priority) + 1, Instant::now());
        NoPlace { why, come_back }
    }
}

impl Place {
    /// Whether nobody had to wait for it.
    pub(crate) fn was_free(&self) -> bool {
        self.was_free
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut hall = self.places.hall();
        hall.taken -= 1;
        hall.pace.freed(Instant::now());
        self.places.hand_out(hall);
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.places.hall().line.leave(self.ticket);
    }
}

#[cfg(test)]
mod tests;
