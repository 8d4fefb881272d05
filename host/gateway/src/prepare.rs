//! From a request to the field a decision starts with, by what this offering's cells say.

use domain::{breaker::Millis, catalogue::Date, field::Field, request::Request};

use crate::snapshot::{Offering, Target};

/// The candidates for `request`, each with its veto or with its facts.
pub(crate) fn field<'a>(
    offering: &'a Offering,
    target: &Target,
    request: &Request,
    today: Date,
    now: Millis,
) -> Field<'a> {
    let admits = |candidate: &_| target.admits(candidate);
    Field::new(&offering.candidates, request, today, now, admits, |index| offering.cells[index].view(now))
}
