//! How pictures look: dark on a white card, so that they read on any page.

/// Strategies that get a colour.
pub(crate) const CURVES: usize = 8;
/// Colours that most colour-blind people can tell apart (Okabe and Ito), darkened a little for thin lines.
pub(crate) const COLOURS: [&str; CURVES] =
    ["#0072b2", "#d55e00", "#009e73", "#b0479a", "#9a7b00", "#3a3a3a", "#4aa3df", "#8c510a"];
pub(crate) const FAINT: &str = "#c3c7cf";
pub(crate) const STYLE: &str = "text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2430}\
    .card{fill:#ffffff}.title{font-size:22px;font-weight:650}.sub{font-size:13px;fill:#667085}\
    .head{font-size:14px;font-weight:600}.tick{font-size:11.5px;fill:#667085}.name{font-size:13px}\
    .mark{font-size:12px;paint-order:stroke;stroke:#ffffff;stroke-width:3px;stroke-linejoin:round}.grid{stroke:#e6e8ee;stroke-width:1}.base{stroke:#9aa1ae;stroke-width:1}\
    .down{fill:#d55e00;fill-opacity:.10}.downname{font-size:11.5px;fill:#b04a00}\
    .curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.dot{stroke:#ffffff;stroke-width:1.5}";
