//! What a plugin can be asked.

use domain::plugin::Role;
use serde::Serialize;

/// What a plugin exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Classifier,
    CostModel,
    Strategy,
    Learner,
}

impl Kind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Classifier => "classifier",
            Self::CostModel => "cost-model",
            Self::Strategy => "strategy",
            Self::Learner => "learner",
        }
    }

    /// Whether a plugin of this kind is asked in `role`.
    pub(crate) fn answers(self, role: Role) -> bool {
        matches!(
            (self, role),
            (Self::Classifier, Role::Classifier)
                | (Self::CostModel, Role::CostModel)
                | (Self::Strategy, Role::Strategy)
                | (Self::Learner, Role::Learner)
        )
    }
}
