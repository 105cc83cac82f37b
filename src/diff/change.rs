//! A change, and how much it matters.

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of change.
    pub kind: Kind,
    /// What has changed: a claim, a cell, a file that one puts out, a file of the author's, a data set, or a name of the
    /// environment.
    pub what: String,
    /// Where it stands, as far as that is known.
    pub place: Option<String>,
    /// What it was; absent if it was not there.
    pub from: Option<String>,
    /// What it is; absent if it is no longer there.
    pub to: Option<String>,
}

/// Kinds of changes, in the order in which a reviewer wants to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A claim is not as expected any more, or is new and not as expected.
    Fails,
    /// A claim can no longer be checked.
    Unchecked,
    /// A claim is now expected to be refuted.
    ExpectedRefuted,
    /// A claim is gone.
    Deleted,
    /// A claim lets pass more.
    Loosened,
    /// The check behind a claim has less to say.
    Weaker,
    /// What a cell gives is no longer compared, since it is said to depend on the clock.
    Measured,
    /// A number of the prose need no longer be claimed.
    Exempted,
    /// A claim is compared in another way.
    Reread,
    /// Data are no longer the real, whole ones.
    DataLost,
    /// A value is another.
    Value,
    /// A cell puts out something else.
    Output,
    /// Data are other ones.
    Data,
    /// The words of a claim are others.
    Text,
    /// Something else is said, beside the words of claims.
    Said,
    /// What is said stands elsewhere.
    Order,
    /// What stood behind the results is another.
    Environment,
    /// The code behind claims is another.
    Code,
    /// A value is another, as far as the claims on it allow.
    Moved,
    /// A cell puts out something else that no reader sees.
    Unshown,
    /// A file for download is another.
    File,
    /// A claim that is not as expected is so in another way.
    Verdict,
    /// A claim is new.
    Added,
    /// A claim lets pass less.
    Tightened,
    /// The check behind a claim has more to say.
    Stronger,
    /// A claim is no longer expected to be refuted.
    ExpectedVerified,
    /// A claim is as expected again, or can be checked again.
    Mended,
    /// An exemption is gone.
    Claimed,
}

impl Kind {
    /// The change in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fails => "now fails",
            Self::Unchecked => "no longer checked",
            Self::ExpectedRefuted => "now expected to be refuted",
            Self::Deleted => "claim deleted",
            Self::Loosened => "tolerance loosened",
            Self::Weaker => "check weakened",
            Self::Measured => "no longer compared",
            Self::Exempted => "exemption added",
            Self::Reread => "relation changed",
            Self::DataLost => "data no longer real",
            Self::Value => "value moved",
            Self::Output => "output changed",
            Self::Data => "data changed",
            Self::Text => "text changed",
            Self::Said => "words changed",
            Self::Order => "order changed",
            Self::Environment => "environment changed",
            Self::Code => "code changed",
            Self::Moved => "value moved within what its claim allows",
            Self::Unshown => "output moved below what is shown",
            Self::File => "file changed",
            Self::Verdict => "verdict changed",
            Self::Added => "claim added",
            Self::Tightened => "tolerance tightened",
            Self::Stronger => "check strengthened",
            Self::ExpectedVerified => "no longer expected to be refuted",
            Self::Mended => "as expected again",
            Self::Claimed => "exemption removed",
        }
    }

    /// Whether readers can rely on less than before.
    pub fn weakens(self) -> bool {
        self <= Self::DataLost
    }

    /// Whether the author promises less than before.
    pub fn promises_less(self) -> bool {
        matches!(
            self,
            Self::ExpectedRefuted
                | Self::Deleted
                | Self::Loosened
                | Self::Weaker
                | Self::Measured
                | Self::Exempted
                | Self::Reread
        )
    }

    /// Whether the same report, executed again elsewhere, may show it, and is none the less for it.
    pub fn is_lesser(self) -> bool {
        matches!(self, Self::Environment | Self::Code | Self::Moved | Self::Unshown | Self::File)
    }
}
