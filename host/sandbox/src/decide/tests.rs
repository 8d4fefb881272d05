use domain::{
    catalogue::Catalogue,
    decision::Veto,
    money::PriceFactor,
    provider::{DialectName, Provider},
};

use super::*;
use crate::{Plugins, Sandbox};

fn candidates() -> Vec<Arc<Candidate>> {
    let provider = Arc::new(Provider {
        name: "openai".to_owned(),
        dialect: DialectName::Simulated,
        tags: vec!["eu".to_owned()],
        price_factor: PriceFactor::ONE,
        weight: 1.0,
        max_in_flight: 0,
    });
    let catalogue = Catalogue::embedded();
    catalogue.vendor("openai").iter().flat_map(|model| Candidate::all(&provider, model)).map(Arc::new).collect()
}

fn field<'a>(candidates: &'a [Arc<Candidate>], request: &Request) -> Field<'a> {
    let row = |(index, candidate): (usize, &Arc<Candidate>)| {
        let tier = candidate.tier();
        Considered {
            tariff: tier.price.as_ref().map(|price| price.tariff(request.size, PriceFactor::ONE)),
            quality: tier.quality,
            latency: tier.latency,
            ..Considered::new(index as u32)
        }
    };
    let considered = candidates.iter().enumerate().map(row).collect();
    Field { candidates, considered, due: None, last_resort: false }
}

fn panel() -> Panel {
    Panel {
        route: "default".into(),
        classifier: "context-classifier".into(),
        cost_models: vec!["list-price".into()],
        strategies: vec!["hybrid".into()],
        weights: Weights::default(),
        unpriced: domain::policy::Unpriced::default(),
        learn_per: LearnPer::Route,
        refuse_on_fault: false,
    }
}

fn decide_once(plugins: &Plugins, panel: &Panel, prompt: &str) -> Decided {
    let candidates = candidates();
    let request = Arc::new(Request::for_prompt(prompt));
    let moment = Moment { now_ms: 1, seed: 2, sequence: 3, session: 4 };
    decide(&plugins.roster(), panel, &request, moment, field(&candidates, &request), Circumstances::alone(), |_| false)
}

/// A decision without what the clock says about it.
fn timeless(mut decided: Decided) -> Decision {
    decided.decision.micros = 0;
    decided.decision.calls.iter_mut().for_each(|call| call.micros = 0);
    decided.decision
}

#[test]
fn equal_inputs_give_equal_decisions_and_equal_fuel_on_any_thread_and_in_any_engine() {
    let prompt = "a watercolor of two foxes under a sign that says \"OPEN\"";
    let plugins = Plugins::load(Sandbox::new(crate::Compiler::Here).expect("an engine"), crate::Setup::default())
        .expect("bundled plugins load");
    let first = timeless(decide_once(&plugins, &panel(), prompt));
    assert!(first.calls.len() == 3 && first.calls.iter().all(|call| call.fuel > 0));
    let elsewhere = std::thread::spawn(move || {
        let again = timeless(decide_once(&plugins, &panel(), prompt));
        let others = Plugins::load(Sandbox::new(crate::Compiler::Here).expect("an engine"), crate::Setup::default())
            .expect("bundled plugins load");
        (again, timeless(decide_once(&others, &panel(), prompt)))
    });
    let (again, other_engine) = elsewhere.join().expect("no panic");
    assert_eq!(first, again);
    assert_eq!(first, other_engine);
}

#[test]
fn plugins_that_are_not_there_leave_the_hosts_own_order() {
    let plugins = Plugins::load(Sandbox::new(crate::Compiler::Here).expect("an engine"), crate::Setup::default())
        .expect("bundled plugins load");
    let nobody = Panel {
        classifier: "nobody".into(),
        cost_models: vec!["nobody".into()],
        strategies: vec!["nobody".into()],
        ..panel()
    };
    let decided = decide_once(&plugins, &nobody, "a red bicycle");
    assert_eq!((decided.verdict, &*decided.decision.strategy), (Verdict::Go, NATIVE));
    assert_eq!(decided.decision.classification, Classification::default());
    let first = &decided.decision.considered[decided.decision.order[0] as usize];
    assert!(first.cost.is_some(), "the list price stands in");
    assert_eq!(decided.priced_by[decided.decision.order[0] as usize].as_deref(), Some(HOST_PRICE));

    let strict = Panel { refuse_on_fault: true, ..nobody };
    let refused = decide_once(&plugins, &strict, "a red bicycle");
    assert_eq!(refused.verdict, Verdict::PluginFailed { plugin: "nobody".into() });
    assert!(refused.decision.order.is_empty());
}

#[test]
fn each_price_is_somebodys_and_who_has_none_comes_last() {
    let plugins = Plugins::load(Sandbox::new(crate::Compiler::Here).expect("an engine"), crate::Setup::default())
        .expect("bundled plugins load");
    let priced = decide_once(&plugins, &panel(), "a red bicycle");
    for (row, by) in priced.decision.considered.iter().zip(&priced.priced_by) {
        assert_eq!(by.as_deref(), row.cost.map(|_| "list-price"));
    }
    let all = candidates();
    let request = Arc::new(Request::for_prompt("a red bicycle"));
    let moment = Moment { now_ms: 1, seed: 2, sequence: 3, session: 4 };
    let vetoes = |unpriced| {
        let mut field = field(&all, &request);
        field.considered[0].tariff = Some(domain::price::Tariff::default());
        let panel = Panel { unpriced, ..panel() };
        let decided =
            decide(&plugins.roster(), &panel, &request, moment, field, Circumstances::alone(), |_| false).decision;
        (decided.considered[0].veto, decided.order.contains(&0))
    };
    assert_eq!(vetoes(Unpriced::PreferPriced), (Some(Veto::PricedFirst), false));
    assert_eq!(vetoes(Unpriced::Skip), (Some(Veto::UnpricedSkipped), false));
    let (veto, offered) = vetoes(Unpriced::Allow);
    assert!(offered || veto == Some(Veto::LeftOut), "{veto:?}");
}

#[test]
fn a_shadow_sees_what_the_strategy_saw() {
    let plugins = Plugins::load(Sandbox::new(crate::Compiler::Here).expect("an engine"), crate::Setup::default())
        .expect("bundled plugins load");
    let decided = decide_once(&plugins, &panel(), "a red bicycle").decision;
    let names: [Arc<str>; 3] = ["hybrid".into(), "nobody".into(), "cheapest".into()];
    let watched = crate::shadow(&plugins.roster(), &names, &panel(), &decided, &candidates(), Circumstances::alone());
    let [again, cheapest] = &watched[..] else { panic!("{watched:#?}") };
    let own = decided.calls.last().expect("the strategy's");
    // Equal fuel for an equal answer: the inputs were the same to the last byte.
    assert_eq!((&again.call.plugin, again.call.fuel), (&own.plugin, own.fuel));
    let places: Vec<u32> = again.order.iter().map(|place| place.candidate).collect();
    assert_eq!(places, decided.order);
    let scores: Vec<_> = places.iter().map(|place| decided.considered[*place as usize].score).collect();
    assert_eq!(scores, again.order.iter().map(|place| Some(place.score)).collect::<Vec<_>>());
    assert_eq!((&*cheapest.call.plugin, cheapest.call.ended == CallEnd::Answered), ("cheapest", true));

    let weighed = Panel { weights: "quality=1,cost=0,mood=0.5".parse().expect("weights"), ..panel() };
    let decided = decide_once(&plugins, &weighed, "a red bicycle");
    assert_eq!(decided.warnings, ["strategy `hybrid` has no weight `mood`"]);
    let given = &decided.settings[2];
    assert_eq!(given[..2], [Setting::Number(1.0), Setting::Number(0.0)]);
    let (decided, roster) = (&decided.decision, plugins.roster());
    let watched = crate::shadow(&roster, &names[..1], &weighed, decided, &candidates(), Circumstances::alone());
    assert_eq!((&watched[0].settings, watched[0].call.fuel), (given, decided.calls[2].fuel));

    let skipped = crate::skipped(&plugins.roster(), &names, "busy");
    assert!(skipped.iter().all(|shadow| shadow.call.ended == CallEnd::Skipped { reason: "busy".into() }));
    assert_eq!(skipped.len(), 2);
}
