import { readFileSync, mkdtempSync } from 'node:fs';
import { startCloud } from '../lib/local/start.ts';
import { Clock } from '../lib/local/clock.ts';
import { calm } from '../lib/local/weather.ts';
const template = JSON.parse(readFileSync('/tmp/template.json','utf8'));
const home = process.argv[2] ?? mkdtempSync('/tmp/ph-home-');
for (let i=0;i<2;i++){
const t=Date.now();
const cloud = await startCloud({ template, stackName: 'posthorn-local', home, port:0, smtpPort:0, dnsPort:0, domain:'posthorn.test', region:'us-east-1', durable:false, clock: new Clock(), weather: calm, code:{project:'/work/main'}, print:(l)=>console.log('>',l) });
console.log(Date.now()-t, cloud.api, cloud.aws, cloud.smtp, cloud.dns, cloud.outputs, cloud.calls.list.length);
console.log((await fetch(cloud.api+'/health')).status);
const t2=Date.now(); await cloud.stop(); console.log('stopped', Date.now()-t2);
}
console.log(process.getActiveResourcesInfo());
await new Promise(r=>setImmediate(r)); await new Promise(r=>setTimeout(r,50));
console.log('later', process.getActiveResourcesInfo());
