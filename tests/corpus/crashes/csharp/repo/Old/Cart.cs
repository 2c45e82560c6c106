namespace Acme.Old { class Cart {} }
