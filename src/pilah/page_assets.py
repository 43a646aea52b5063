"""Style and script of the page that `page_html` makes. The script only moves the focus and shows what is already there."""

STYLE = """
:root{--ground:#fff;--ink:#1b1b1f;--soft:#5b5f6b;--rule:#d9dce3;--raised:#f6f7f9;--doubt:#8a4b00;--plus:#0b6b3a;--minus:#a3261b;
--h0:#0d6b42;--h1:#1c59b0;--h2:#a83a0a;--h3:#842d8a;--h4:#6e5400;--h5:#565a64}
@media (prefers-color-scheme:dark){:root{--ground:#15171c;--ink:#e9eaee;--soft:#a5aab8;--rule:#353a45;--raised:#1e2128;--doubt:#ffb454;
--plus:#6fd39a;--minus:#ff8f82;--h0:#5cc894;--h1:#7fb2ff;--h2:#ff9a6b;--h3:#e29be6;--h4:#e3c14d;--h5:#a5aab8}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.45 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif}
header{padding:.9rem 1.2rem .7rem;border-bottom:1px solid var(--rule);display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;align-items:center}
h1{font-size:1.05rem;margin:0;overflow-wrap:anywhere}
h2{font-size:.8rem;letter-spacing:.04em;text-transform:uppercase;color:var(--soft);margin:0 0 .6rem}
.skip{position:absolute;left:-99rem}.skip:focus{left:.5rem;top:.5rem;background:var(--ground);padding:.4rem .8rem;z-index:9}
.c0{--c:var(--h0)}.c1{--c:var(--h1)}.c2{--c:var(--h2)}.c3{--c:var(--h3)}.c4{--c:var(--h4)}.c5{--c:var(--h5)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:0;padding:0;list-style:none;font-size:.85rem;color:var(--soft)}
.tag{color:var(--c);font-weight:650}.role{color:var(--soft);font-weight:400}
.doubts{display:flex;gap:.5rem;align-items:center;margin:0;font-size:.85rem;color:var(--doubt)}
button{font:inherit;color:var(--ink);background:var(--raised);border:1px solid var(--rule);border-radius:.35rem;padding:.2rem .6rem;min-height:2rem;cursor:pointer}
kbd{font:.8em ui-monospace,monospace;border:1px solid var(--rule);border-radius:.2rem;padding:0 .25rem}
main{display:grid;grid-template-columns:minmax(0,1.15fr) minmax(0,1fr)}
#dump,#article{padding:1rem 1.2rem}
#article{border-left:1px solid var(--rule);position:sticky;top:0;max-height:100vh;overflow:auto;align-self:start}
ol{margin:0;padding:0;list-style:none}
.line{position:relative;margin:0 0 2px;scroll-margin:35vh 0}
.line::before{content:"";position:absolute;inset:0;background:var(--c);opacity:calc(.02 + .16*var(--p,0)*var(--p,0));pointer-events:none}
.line::after{content:"";position:absolute;inset:0 auto 0 0;border-left:4px solid var(--c);opacity:calc(.25 + .75*var(--p,0));pointer-events:none}
.doubtful::after{border-left-style:dashed;border-color:var(--doubt);opacity:1}
.blank{min-height:1.3rem;font-size:.75rem;padding:0 .6rem}.blank::before,.blank::after{display:none}
.head{position:relative;display:grid;grid-template-columns:2rem 8.6rem minmax(0,1fr);gap:0 .6rem;padding:.22rem .5rem .22rem .6rem;list-style:none}
summary{cursor:pointer}summary::-webkit-details-marker{display:none}
.n{color:var(--soft);font-size:.75rem;text-align:right;padding-top:.16rem;font-variant-numeric:tabular-nums}
.what{font-size:.8rem;padding-top:.1rem;line-height:1.3}.sure{display:block;color:var(--soft);font-size:.75rem}
.doubtful .sure{color:var(--doubt);font-weight:650}
.text{overflow-wrap:anywhere;unicode-bidi:isolate;white-space:pre-wrap}.heading .text{font-weight:650}
:focus-visible{outline:2px solid var(--h1);outline-offset:1px}
.lit{box-shadow:0 0 0 2px var(--h1)}
.why,#panel{font-size:.8rem;line-height:1.4}
.why{position:relative;padding:.2rem .8rem .7rem 3.2rem}
.why p{margin:.3rem 0}.why h3,#panel h3{font-size:.82rem;margin:.7rem 0 .1rem}.why h4,#panel h4{font-size:.8rem;margin:.35rem 0 .1rem;font-weight:600}
.why table,#panel table{border-collapse:collapse;margin:.4rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.05rem .9rem .05rem 0;text-align:right}th:first-child{text-align:left}thead th{color:var(--soft);font-weight:400}tbody th{font-weight:400}
.chosen>*{font-weight:700!important}
dl{display:grid;grid-template-columns:14em minmax(0,1fr);gap:.05rem .8rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}.plus,.minus{display:inline-block;margin-right:.6rem;white-space:pre-wrap}.plus{color:var(--plus)}.minus{color:var(--minus)}
#panel{position:fixed;z-index:5;right:1rem;width:min(36rem,44vw);max-height:80vh;overflow:auto;background:var(--ground);border:1px solid var(--rule);
border-radius:.5rem;box-shadow:0 .5rem 2rem rgb(0 0 0/.3);padding:.6rem 1rem}
#panel p{margin:.25rem 0}
#article h3{font-size:1.35rem;line-height:1.25;margin:.2rem 0 .6rem}#article h4{margin:1.1rem 0 .3rem;font-size:1.02rem}
#article p{margin:0 0 .8rem}#article .small{font-size:.85rem;color:var(--soft);margin-bottom:.4rem}
#article .block{margin:1.2rem 0 0;padding:.5rem .8rem .6rem;background:var(--raised);border-left:4px solid var(--c);border-radius:.2rem}
#article .block h3{font-size:1rem;margin:0 0 .3rem}.block ol{list-style:decimal;padding-left:1.6rem}.block li{padding:.12rem 0}
.ref{font-size:.7rem;color:var(--soft);text-decoration:none;font-weight:400;padding:0 .3rem}.ref:hover{text-decoration:underline}
a{color:var(--h1)}
@media (max-width:56rem){main{display:block}#article{position:static;max-height:none;border-left:0;border-top:1px solid var(--rule)}#panel{display:none}
.doubts{position:fixed;z-index:4;inset:auto 0 0;padding:.4rem .6rem;background:var(--ground);border-top:1px solid var(--rule)}.doubts span{flex:1}
kbd{display:none}body{padding-bottom:4rem}#dump,#article{padding:.8rem .6rem}header{padding:.7rem .6rem}.head{grid-template-columns:1.5rem minmax(0,1fr);padding:.4rem .5rem}.what{padding-top:.08rem}
.sure{display:inline;margin-left:.4rem}.text{grid-column:2}.why{padding:.2rem .6rem .7rem}dl{display:block}dt{margin-top:.25rem}
button{min-height:2.6rem;padding:.3rem .9rem}.ref{padding:.3rem}th,td{padding-right:.7rem}}
@media print{#panel,.doubts button,.skip{display:none}#article{max-height:none;position:static}}
"""

SCRIPT = """
(() => {
  const panel = document.getElementById('panel'), lines = [...document.querySelectorAll('.line .head')];
  const roomy = matchMedia('(min-width: 56.01rem)');
  let shown = null, timer = 0;
  const parts = n => document.querySelectorAll('[data-line="' + n + '"], #L' + n);
  const light = (n, on) => parts(n).forEach(part => part.classList.toggle('lit', on));
  const hide = () => { panel.hidden = true; if (shown) light(shown.id.slice(1), false); shown = null; };
  const show = line => {
    clearTimeout(timer);
    if (line === shown) return;
    hide();
    shown = line;
    light(line.id.slice(1), true);
    const why = line.querySelector('.why');
    if (!why || !roomy.matches || line.querySelector('details').open) return;
    panel.replaceChildren(...[...why.childNodes].map(node => node.cloneNode(true)));
    panel.querySelectorAll('a').forEach(link => link.tabIndex = -1);
    panel.hidden = false;
    const box = line.getBoundingClientRect();
    panel.style.top = Math.max(8, Math.min(box.top, innerHeight - panel.offsetHeight - 8)) + 'px';
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(hide, 250); };
  for (const head of lines) {
    const line = head.parentElement.closest('.line');
    line.addEventListener('pointerenter', event => { if (event.pointerType !== 'touch') show(line); });
    line.addEventListener('pointerleave', soon);
    head.addEventListener('focus', () => show(line));
    head.addEventListener('blur', soon);
    line.addEventListener('toggle', hide, true);
  }
  panel.addEventListener('pointerenter', () => clearTimeout(timer));
  panel.addEventListener('pointerleave', soon);
  for (const part of document.querySelectorAll('[data-line]')) {
    part.addEventListener('pointerenter', () => light(part.dataset.line, true));
    part.addEventListener('pointerleave', () => light(part.dataset.line, false));
  }
  const at = () => lines.indexOf(document.activeElement);
  const go = head => {
    if (!head) return;
    head.focus({preventScroll: true});
    head.scrollIntoView({block: 'center'});
    hide();
    show(head.closest('.line'));
  };
  const doubt = (from, step) => {
    for (let k = 1; k <= lines.length; k++) {
      const head = lines[(from + step * k + lines.length * 2) % lines.length];
      if (head.closest('.doubtful')) return head;
    }
  };
  let last = -1;
  const moves = {
    n: () => doubt(at() < 0 ? last : at(), 1), p: () => doubt(at() < 0 ? Math.max(last, 0) : at(), -1),
    j: () => lines[Math.min(at() + 1, lines.length - 1)], k: () => lines[Math.max(at() - 1, 0)],
  };
  const move = key => { const head = moves[key](); go(head); last = at(); };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select')) return;
    if (event.key === 'Escape') hide();
    else if (Object.hasOwn(moves, event.key)) { event.preventDefault(); move(event.key); }
  });
  document.getElementById('next')?.addEventListener('click', () => move('n'));
  document.getElementById('previous')?.addEventListener('click', () => move('p'));
})();
"""
