use muxel_sdk::{Priority, testing};

use super::*;

/// Each known as good as the others, the later the cheaper.
fn candidates() -> Vec<Candidate> {
    let models =
        ["openai/gpt-image-2@low", "bfl/flux-2-pro", "google/gemini-3-pro-image", "ideogram/ideogram-v3", "xai/grok"];
    let known = |(index, model): (usize, &&str)| {
        Candidate::new(model).good(0.6, 0.05).costing(50_000 - 10_000 * index as u32, 90_000).taking(9_000, 20_000)
    };
    models.iter().enumerate().map(known).collect()
}

fn rank(classification: Classification, settings: &[Value], candidates: &[Candidate]) -> Ranking {
    let request = Request::for_prompt("");
    ContextAware::rank(request, settings.to_vec(), vec![], classification, candidates.to_vec(), vec![])
        .expect("a ranking")
}

fn order(ranking: &Ranking) -> Vec<u32> {
    ranking.order.iter().map(|ranked| ranked.candidate).collect()
}

#[test]
fn each_label_prefers_its_own_and_the_balance_orders_both_groups() {
    for (label, expected) in [
        ("artistic", [2, 0, 4, 3, 1]),
        ("realistic", [2, 1, 4, 3, 0]),
        ("technical", [3, 0, 4, 2, 1]),
        ("general", [4, 3, 2, 1, 0]),
        ("acme.storyboard", [4, 3, 2, 1, 0]),
    ] {
        let ranking = rank(Classification::of(label), &[], &candidates());
        assert_eq!(order(&ranking), expected, "{label}");
    }
    let reason = rank(Classification::of("technical"), &[], &candidates()).reason;
    assert_eq!(
        reason,
        "preferred for technical pictures; quality 0.60 at 0.02 USD, 9.0 s; next openai/gpt-image-2@low: 0.03 USD more"
    );
}

#[test]
fn without_a_preference_the_balance_decides_and_says_so() {
    let balanced = vec![4, 3, 2, 1, 0];
    let unsure = rank(Classification::of("artistic").sure(0.4), &[], &candidates());
    assert_eq!(order(&unsure), balanced);
    assert!(unsure.reason.starts_with("the classifier is not sure of its label, so nobody is preferred; quality"));
    let nobody = rank(Classification::of("realistic"), &[], &candidates()[3..]);
    assert_eq!(order(&nobody), [1, 0]);
    assert!(nobody.reason.starts_with("no model preferred for realistic pictures is available; quality"));
    assert!(
        rank(Classification::of("general"), &[], &candidates()).reason.starts_with("nobody is preferred for general")
    );
}

#[test]
fn the_operator_names_the_models_and_how_sure_is_sure() {
    let mut settings = ContextAware::describe().defaults();
    settings[4] = Value::Number(0.9);
    settings[5] = Value::Text("grok, bfl/*".to_owned());
    assert_eq!(order(&rank(Classification::of("artistic").sure(0.95), &settings, &candidates())), [4, 1, 3, 2, 0]);
    assert_eq!(order(&rank(Classification::of("artistic").sure(0.85), &settings, &candidates()))[1], 3);
}

#[test]
fn what_is_half_open_is_last_though_preferred() {
    let mut candidates = candidates();
    candidates[2].half_open = true;
    assert_eq!(order(&rank(Classification::of("realistic"), &[], &candidates)), [1, 4, 3, 0, 2]);
}

#[test]
fn whatever_a_host_sends_gets_a_valid_answer_whose_parts_add_up() {
    testing::assert_manifest(&ContextAware::describe());
    testing::each(500, |samples| {
        let (request, classification, candidates) = (samples.request(), samples.classification(), samples.candidates());
        let settings = samples.settings(&ContextAware::describe());
        let columns = samples.columns(candidates.len());
        let answer = ContextAware::rank(request, settings, vec![], classification, candidates.clone(), columns);
        let ranking = answer.expect("a ranking");
        testing::assert_ranking(&ranking, &candidates);
        assert_eq!(ranking.order.len(), candidates.len());
        for (place, ranked) in ranking.order.iter().enumerate() {
            let sum: f32 = ranking.parts.iter().map(|part| part.values[place]).sum();
            assert!((sum - ranked.score).abs() < 1e-3, "{sum} {}", ranked.score);
        }
    });
}

#[test]
fn urgency_chooses_among_the_preferred() {
    let mut candidates = candidates();
    candidates[1] = candidates[1].clone().taking(2_000, 3_000);
    candidates[4] = candidates[4].clone().taking(100, 100);
    let request = Request::for_prompt("").as_soon_as(Priority::Urgent);
    let answer = ContextAware::rank(request, vec![], vec![], Classification::of("realistic"), candidates, vec![]);
    assert_eq!(order(&answer.expect("a ranking"))[0], 1);
}
