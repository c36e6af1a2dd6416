import pytest, asyncio
from tests.browser.stage import Stage, state
from tests.browser.conftest import *
pytestmark = pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("n", range(5))
async def test_double(stage, context, n):
    await stage.prepare("sandboxOAuth")
    page = await stage.visit(context, provider="sandboxOAuth")
    pops=[]
    context.on("page", lambda p: pops.append(p))
    await page.evaluate("""async () => { const {server,key,projectId,request}=window.settings;
      const a = await fetch(server+'/v1/oauth-connect',{method:'POST',headers:{'X-Api-Key':key,'Content-Type':'application/json'},body:JSON.stringify({projectIdOrName:projectId,...request})});
      const u = await a.text(); window.w1=window.open(u,'t','width=600,height=600'); window.w2=window.open(u,'t','width=600,height=600'); }""")
    await asyncio.sleep(1.5)
    for p in pops:
        print(n, p.url[:60], (await p.inner_text("body"))[:100].replace("\n"," "))
