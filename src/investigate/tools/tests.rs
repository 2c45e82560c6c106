//! Tests of the desk are in `tests/source/tools.rs`, over repositories; here is what needs none.

use super::*;

#[test]
fn tools_are_described_and_the_same_each_time() {
    let tools = Desk::tools();
    assert_eq!(tools.len(), Kind::ALL.len());
    for tool in &tools {
        assert!(tool.description.len() > 40, "{}", tool.name);
        assert_eq!(tool.schema["type"], "object");
        assert_eq!(tool.schema["additionalProperties"], false);
    }
    let written = |tools: &[Tool]| format!("{tools:?}");
    assert_eq!(written(&tools), written(&Desk::tools()));
}
