//! Who waits for a place, in the order in which they get one: by priority, then by arrival.
//!
//! A value without clock or locks. Nobody is passed over for good: whoever waits has a bound on its own wait and leaves
//! when it is reached, so that a low priority may be overtaken as often as it happens, and still ends in time.

use std::collections::BTreeMap;

use domain::request::Priority;

/// How many priorities there are.
const PRIORITIES: usize = Priority::Urgent as usize + 1;

#[derive(Debug)]
pub(super) struct Line<T> {
    /// By priority, the lowest first; within one by number, the oldest first.
    rows: [BTreeMap<u64, T>; PRIORITIES],
    /// Of the next to join.
    next: u64,
}

/// Where somebody stands in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    priority: Priority,
    number: u64,
}

/// What became of somebody who wanted to join.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined<T> {
    /// Waits. When the line was full, `shed` had to leave it for that.
    Waits { ticket: Ticket, shed: Option<T> },
    /// The line is full of those who matter as much or more.
    Full,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { rows: Default::default(), next: 0 }
    }
}

impl<T> Line<T> {
    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(BTreeMap::len).sum()
    }

    /// How many get a place before somebody who joins now would.
    pub(super) fn ahead_of(&self, priority: Priority) -> usize {
        self.rows[priority as usize..].iter().map(BTreeMap::len).sum()
    }

    /// Joins a line of at most `most`. When it is full, the newest of the lowest priority has to leave, if that priority
    /// is below the newcomer's.
    pub(super) fn join(&mut self, priority: Priority, who: T, most: usize) -> Joined<T> {
        let mut shed = None;
        if self.len() >= most {
            let below = &mut self.rows[..priority as usize];
            shed = below.iter_mut().find_map(BTreeMap::pop_last).map(|(_, newest)| newest);
            if shed.is_none() {
                return Joined::Full;
            }
        }
        let ticket = Ticket { priority, number: self.next };
        self.next += 1;
        self.rows[priority as usize].insert(ticket.number, who);
        Joined::Waits { ticket, shed }
    }

    /// Takes out who is next.
    pub(super) fn call(&mut self) -> Option<T> {
        self.rows.iter_mut().rev().find_map(BTreeMap::pop_first).map(|(_, oldest)| oldest)
    }

    /// Takes out who no longer waits, if still in the line.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.rows[ticket.priority as usize].remove(&ticket.number);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Priority; PRIORITIES] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];

    fn ticket<T: std::fmt::Debug>(joined: Joined<T>) -> Ticket {
        match joined {
            Joined::Waits { ticket, shed: None } => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn urgent_goes_before_high_before_normal_before_low_and_each_in_turn() {
        let mut line = Line::default();
        for (name, priority) in [("l1", 0), ("n1", 1), ("u1", 3), ("n2", 1), ("h1", 2), ("u2", 3), ("l2", 0)] {
            ticket(line.join(ALL[priority], name, 9));
        }
        assert_eq!((line.ahead_of(Priority::Low), line.ahead_of(Priority::High)), (7, 3));
        let order: Vec<&str> = std::iter::from_fn(|| line.call()).collect();
        assert_eq!(order, ["u1", "u2", "h1", "n1", "n2", "l1", "l2"]);
    }

    #[test]
    fn a_full_line_sheds_the_newest_of_the_lowest_priority_below_the_newcomers() {
        let mut line = Line::default();
        for (name, priority) in [("l1", 0), ("l2", 0), ("n1", 1)] {
            ticket(line.join(ALL[priority], name, 3));
        }
        assert_eq!(line.join(Priority::Low, "l3", 3), Joined::Full);
        assert!(matches!(line.join(Priority::High, "h1", 3), Joined::Waits { shed: Some("l2"), .. }));
        assert!(matches!(line.join(Priority::Normal, "n2", 3), Joined::Waits { shed: Some("l1"), .. }));
        assert_eq!(line.join(Priority::Normal, "n3", 3), Joined::Full);
        assert!(matches!(line.join(Priority::Urgent, "u1", 3), Joined::Waits { shed: Some("n2"), .. }));
        assert_eq!(Line::default().join(Priority::Urgent, "nobody may wait", 0), Joined::Full);
    }

    #[test]
    fn who_leaves_makes_room() {
        let mut line = Line::default();
        let first = ticket(line.join(Priority::Normal, 1, 2));
        ticket(line.join(Priority::Normal, 2, 2));
        line.leave(first);
        line.leave(first);
        ticket(line.join(Priority::Normal, 3, 2));
        assert_eq!((line.call(), line.call(), line.call()), (Some(2), Some(3), None));
    }

    proptest! {
        /// Against the rule written down once more, as a sorted list.
        #[test]
        fn it_does_as_the_rule_says(steps in prop::collection::vec((0..6usize, 0..PRIORITIES), 0..200), most in 0..6usize) {
            let mut line = Line::default();
            // Priority, arrival.
            let mut model: Vec<(Priority, u64)> = Vec::new();
            let mut tickets = Vec::new();
            for (arrival, (step, at)) in (0u64..).zip(steps) {
                let priority = ALL[at];
                model.sort_by_key(|(priority, arrival)| (std::cmp::Reverse(*priority), *arrival));
                match step {
                    0..=2 => {
                        let joined = line.join(priority, arrival, most);
                        let room = model.len() < most;
                        let last = model.last().copied().filter(|(lowest, _)| *lowest < priority);
                        match joined {
                            Joined::Waits { ticket, shed } => {
                                prop_assert_eq!(shed, if room { None } else { last.map(|(_, arrival)| arrival) });
                                prop_assert!(room || last.is_some());
                                model.retain(|(_, arrival)| Some(*arrival) != shed);
                                model.push((priority, arrival));
                                tickets.push((ticket, arrival));
                            }
                            Joined::Full => prop_assert!(!room && last.is_none()),
                        }
                    }
                    3 => {
                        let due = if model.is_empty() { None } else { Some(model.remove(0).1) };
                        prop_assert_eq!(line.call(), due);
                    }
                    _ => if let Some((ticket, arrival)) = tickets.get(at).copied() {
                        line.leave(ticket);
                        model.retain(|(_, other)| *other != arrival);
                    }
                }
                prop_assert_eq!(line.len(), model.len());
                prop_assert!(line.len() <= most.max(1));
                let ahead = model.iter().filter(|(other, _)| *other >= priority).count();
                prop_assert_eq!(line.ahead_of(priority), ahead);
            }
        }
    }
}
