//! The frame of every page, and the pieces that pages are made of. No script, no picture, nothing from elsewhere.

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::visit::Visit;
use crate::letters::{Contact, Council};

/// The one style sheet; its hash stands in the content security policy.
pub(super) const STYLE: &str = "\
*{box-sizing:border-box}\
body{margin:0;font:19px/1.4 Arial,Helvetica,sans-serif;color:#0b0c0c;background:#fff;overflow-wrap:break-word}\
header{background:#0f4f57;color:#fff}\
header div,main,footer{max-width:960px;margin:0 auto;padding:0 16px}\
header div{display:flex;flex-wrap:wrap;gap:4px 24px;justify-content:space-between;padding-top:10px;padding-bottom:10px}\
header p{margin:0}header strong{font-size:19px}\
main{padding-top:28px;padding-bottom:48px}main>*{max-width:640px}\
h1{font-size:32px;line-height:1.15;margin:4px 0 20px}h2{font-size:24px;line-height:1.25;margin:36px 0 12px}\
h3{font-size:19px;margin:24px 0 6px}p,ul,ol,dl{margin:0 0 18px}\
.caption{color:#484949;font-size:19px;margin:0}.lead{font-size:22px}.quiet{color:#484949;font-size:16px}\
a{color:#1a65a6;text-underline-offset:3px}a:hover{color:#0f385c;text-decoration-thickness:3px}\
a:focus,summary:focus,.skip:focus{outline:3px solid transparent;background:#fd0;color:#0b0c0c;box-shadow:0 -2px #fd0,0 4px #0b0c0c;text-decoration:none}\
.skip{position:absolute;left:-9999px}.skip:focus{left:0;top:0;padding:10px 16px}\
dl div{display:flex;flex-wrap:wrap;border-bottom:1px solid #b1b4b6;padding:10px 0}dt{font-weight:bold;width:200px}dd{margin:0;flex:1 1 240px}\
.choices{list-style:none;padding:0;border-top:1px solid #b1b4b6}.choices li{border-bottom:1px solid #b1b4b6;padding:12px 0}\
.choices a{font-weight:bold;display:inline-block;padding:2px 0}.choices p{margin:2px 0 0}\
blockquote{margin:0 0 18px;padding:12px 16px;border-left:8px solid #b1b4b6;white-space:pre-wrap}\
summary{cursor:pointer;color:#1a65a6;text-decoration:underline;padding:4px 0;margin-bottom:10px}\
label,legend{font-weight:bold;display:block;margin:0 0 4px;padding:0}.hint{color:#484949;margin:0 0 8px}\
fieldset{border:0;margin:0;padding:0;min-width:0}.field{margin:0 0 26px}\
input[type=text],textarea{font:inherit;width:100%;max-width:640px;padding:6px;border:2px solid #0b0c0c;border-radius:0;background:#fff;color:inherit;min-height:44px}\
textarea{min-height:180px}.dates{display:flex;gap:16px;flex-wrap:wrap}.dates label{font-weight:normal}.dates input{width:84px}\
.short input[type=text]{max-width:200px}\
.radios label{font-weight:normal;display:flex;align-items:center;gap:12px;min-height:44px;margin:0}\
.radios input{width:28px;height:28px;margin:0;flex:none;accent-color:#0b0c0c}\
input:focus,textarea:focus,.radios input:focus{outline:3px solid #fd0;outline-offset:0;box-shadow:inset 0 0 0 2px #0b0c0c}\
button{font:inherit;font-weight:bold;color:#fff;background:#0f7a52;border:2px solid transparent;box-shadow:0 2px #083d29;padding:9px 16px;cursor:pointer;min-height:44px}\
button:hover{background:#0b5c3e}button:focus{outline:3px solid #fd0;background:#fd0;color:#0b0c0c;box-shadow:0 2px #0b0c0c}\
.error{color:#b10e1e;font-weight:bold;margin:0 0 6px}.wrong{border-left:5px solid #b10e1e;padding-left:14px}\
.wrong input[type=text],.wrong textarea{border-color:#b10e1e}\
.summary{border:5px solid #b10e1e;padding:16px 20px;margin:0 0 28px}.summary h2{margin:0 0 10px}.summary ul{list-style:none;padding:0;margin:0}\
.summary a{color:#b10e1e;font-weight:bold}.summary:focus{outline:3px solid #fd0}\
.buttons{display:flex;flex-wrap:wrap;gap:16px;align-items:center}\
.other{color:#0b0c0c;background:#f3f2f1;box-shadow:0 2px #929191}.other:hover{background:#dbdad9}\
input[type=file]{font:inherit;max-width:100%;padding:8px 0;min-height:44px}input[type=file]:focus{outline:3px solid #fd0}\
.sent{border:5px solid #0f7a52;padding:16px 20px;margin:0 0 28px}.sent h2{margin:0 0 6px}.sent p{margin:0}\
.inset{border-left:10px solid #b1b4b6;padding:10px 16px;margin:0 0 18px}.late{font-weight:bold}\
footer{border-top:1px solid #b1b4b6;padding-top:16px;padding-bottom:32px;font-size:16px}\
@media(max-width:480px){h1{font-size:27px}h2{font-size:22px}.lead{font-size:19px}dt{width:100%}body{font-size:18px}}\
@media print{header{color:#0b0c0c;background:#fff}button,.skip{display:none}}";

/// Text as HTML shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Around every page: who we are, and what it is called.
pub(super) fn framed(council: &Council, title: &str, is_error: bool, body: &str) -> String {
    let (name, team) = (escaped(&council.name), escaped(&council.team));
    let (title, error) = (escaped(title), if is_error { "Error: " } else { "" });
    let privacy = escaped(&council.privacy_url);
    let mut html = String::with_capacity(body.len() + STYLE.len() + 1024);
    // Writing to a String cannot fail.
    let _ = writeln!(
        html,
        "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex, nofollow\"><meta name=\"referrer\" content=\"no-referrer\">\
         <title>{error}{title} – {name}</title><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to main content</a>\
         <header><div><p><strong>{name}</strong></p><p>{team}</p></div></header>\
         <main id=\"main\" tabindex=\"-1\">{body}</main>\
         <footer><a href=\"{privacy}\">How we use information</a></footer></body></html>"
    );
    html
}

/// A page with its status.
pub(super) fn answer(status: StatusCode, html: String) -> Response {
    (status, Html(html)).into_response()
}

/// Whom to ask, at the end of a page.
pub(super) fn questions(contact: &Contact) -> String {
    let (name, phone, email) =
        (escaped(&contact.name), escaped(&contact.phone), escaped(&contact.email));
    format!(
        "<h2>Questions</h2><p>{name}: {phone} or <a href=\"mailto:{email}\">{email}</a>. \
         You can also reply to our email.</p>"
    )
}

/// What is wrong with a form, each with a link to its field.
pub(super) fn summary(faults: &[(String, String)]) -> String {
    if faults.is_empty() {
        return String::new();
    }
    let item = |(field, words): &(String, String)| {
        format!("<li><a href=\"#{}\">{}</a></li>", escaped(field), escaped(words))
    };
    let items: String = faults.iter().map(item).collect();
    format!(
        "<div class=\"summary\" role=\"alert\" tabindex=\"-1\" aria-labelledby=\"wrong\" autofocus>\
         <h2 id=\"wrong\">There is a problem</h2><ul>{items}</ul></div>"
    )
}

/// A link that opens nothing, whatever the reason: who made it up learns nothing.
pub(super) fn gone(visit: &Visit) -> String {
    let body = format!(
        "<h1>This link does not work</h1>\
         <p>It may be too old, or another may have taken its place. If you copied it from an email, \
         check that all of it is there.</p>\
         <h2>Ask for a new link</h2>\
         <p>If we made this link, we send a new one. It goes to the mailbox that this one was sent to, \
         and nowhere else.</p>\
         <form method=\"post\" action=\"{}/new-link\"><button>Send a new link</button></form>{}",
        escaped(&visit.at()),
        questions(&visit.contact)
    );
    framed(&visit.council, "This link does not work", false, &body)
}

/// That a new link was asked for: the same whether one was sent or not.
pub(super) fn asked(visit: &Visit) -> String {
    let body = format!(
        "<h1>Look in your mailbox</h1>\
         <p>If we made that link and something of it is still to answer, a new one is on its way to the \
         mailbox that it was sent to. One is sent at most once a day.</p>{}",
        questions(&visit.contact)
    );
    framed(&visit.council, "Look in your mailbox", false, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letters::sample;

    #[test]
    fn what_others_wrote_is_text_and_never_a_tag() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
        let page = framed(&sample::council(), "<i>", true, "<p>body</p>");
        assert!(
            page.contains("<title>Error: &lt;i&gt; – Northmere County Council</title>"),
            "{page}"
        );
        let summary = summary(&[("name".to_owned(), "Enter <your> name".to_owned())]);
        assert!(summary.contains("<a href=\"#name\">Enter &lt;your&gt; name</a>"), "{summary}");
    }

    #[test]
    fn a_page_loads_nothing() {
        let page = framed(&sample::council(), "t", false, "");
        for word in ["<script", "<link", "<img", "url(", "@import", "onload", "src="] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
