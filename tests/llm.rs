//! Models: servers that are played on loopback as their documents describe them, and a real
//! llama-server where `AUTOFIX_LLAMA_SERVER` and `AUTOFIX_LLAMA_MODEL` name one and its model
//! (`scripts/model.sh` installs both).

#[path = "llm/anthropic.rs"]
mod anthropic;
#[path = "llm/anthropic_faults.rs"]
mod anthropic_faults;
#[path = "llm/anthropic_rules.rs"]
mod anthropic_rules;
#[path = "played/anthropic/mod.rs"]
mod anthropic_server;
#[path = "llm/bedrock.rs"]
mod bedrock;
#[path = "llm/both.rs"]
mod both;
#[path = "llm/conversation.rs"]
mod conversation;
mod llama;
#[path = "llm/llama_server.rs"]
mod llama_server;
#[path = "llm/played.rs"]
mod played;
#[path = "llm/played_ollama.rs"]
mod played_ollama;
#[path = "llm/played_openai.rs"]
mod played_openai;
#[path = "llm/talk_llama.rs"]
mod talk_llama;
#[path = "llm/talk_ollama.rs"]
mod talk_ollama;
#[path = "llm/talk_openai.rs"]
mod talk_openai;
