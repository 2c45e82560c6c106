pub fn greet(name: &str) -> String {
    format!("Hello {name}")
}

#[test]
fn greets() {
    assert!(greet("Ada").contains("Ada"));
}

#[test]
fn greets_nobody() {
    println!("greeting nobody");
    assert_eq!(greet(""), "Hello");
}
