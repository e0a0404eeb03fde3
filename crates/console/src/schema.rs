//! The shapes of the OpenAPI document, a line each. No property is required: `select` may leave any out.

use serde_json::{Map, Value, json};

/// Name, and properties with their types: a `?` says that `null` may stand for it, brackets that there may be several, bars
/// divide the words it may be, `@` names another shape.
const SHAPES: &[(&str, &str)] = &[
    (
        "About",
        "installationId:uuid installationDate:instant serverVersion:text actualVawVersion:text? actualValVersion:text? \
        actualVamVersion:text? windowsManagementAgentVersion:text linuxManagementAgentVersion:text \
        macManagementAgentVersion:text",
    ),
    (
        "AsyncAction",
        "id:uuid initiatorUid:uuid actionName:text status:running|succeed|failed|canceled queryParameters:map \
        requestBody:text?",
    ),
    ("AsyncActionsConfig", "resultRetentionTime:int"),
    (
        "BackupServerLicense",
        "autoUpdateEnabled:flag backupServerUid:uuid edition:text? monitoring:flag? packages:[text] \
        company:text email:text contactPerson:text expirationDate:instant? supportExpirationDate:instant? \
        licenseIds:[uuid] supportIds:[text] sectionTypes:[text] status:Unlicensed|Valid|Warning|Expired \
        cloudConnect:No sockets:number? usedSockets:number? capacity:number? usedCapacity:number? units:number \
        usedUnits:number unitType:Points type:Rental",
    ),
    (
        "ConsoleLicense",
        "licenseId:text edition:text package:None licenseeCompany:text licenseeEmail:text \
        licenseeAdministratorEmail:text contactPerson:text expirationDate:instant? supportExpirationDate:instant? \
        supportId:text status:Unknown|Unlicensed|Valid|Warning|Expired statusMessage:text cloudConnect:No instances:number \
        type:Rental|NotInstalled lastUpdateDate:instant? lastUpdateStatus:Success|Unknown lastUpdateMessage:text",
    ),
    ("ConsoleLicenseSettings", "isAutoUpdateEnabled:flag"),
    ("Contract", "contractId:text expirationDate:instant pointsLimit:number? automaticExtensionAlwaysOn:flag"),
    ("Finalization", "reportApprovalStatus:Approved|Finalization|NotApprovable message:text"),
    (
        "License",
        "instanceUid:uuid licenseId:uuid? type:Rental|Internal usageType:SingleCustomerUse|MultiCustomerUse|InternalUse \
        assignStatus:Assigned|NotAssigned createdBy:text contractId:text productId:uuid description:text \
        expirationDate:instant? points:number automaticReportingStatus:Off|SwitchingToOn|On|SwitchingToOff|AlwaysOn|AlwaysOff \
        automaticExtensionStatus:Off|SwitchingToOn|On|SwitchingToOff|AlwaysOn|AlwaysOff assignedCompanyUid:uuid? \
        assignedResellerUid:uuid? workloads:[@LicenseWorkload]",
    ),
    ("LicenseWorkload", "workloadId:text name:text multiplier:number count:int"),
    ("MonthlyUsage", "month:text tenants:[@MonthlyTenant]"),
    ("MonthlyTenant", "tenantUid:uuid workloads:[@MonthlyWorkload]"),
    (
        "MonthlyWorkload",
        "productCode:text productName:text unitType:text usedUnits:number totalUnits:number weight:number \
        usedPoints:number minCommitQty:number minCommitEnforcement:number location:text",
    ),
    (
        "MonitoringServerLicense",
        "autoUpdateEnabled:flag vOneServerUid:uuid company:text email:text expirationDate:instant? \
        supportExpirationDate:instant? licenseId:uuid supportId:text status:Unlicensed|Valid|Warning|Expired \
        statusMessage:text units:number usedUnits:number unitType:Points type:Rental",
    ),
    (
        "MailServerLicense",
        "autoUpdateEnabled:flag vb365ServerUid:uuid company:text email:text expirationDate:instant? \
        supportExpirationDate:instant? licenseId:uuid supportId:text status:Unlicensed|Valid|Warning|Expired \
        licensedUsers:int protectedUsers:int type:Rental",
    ),
    (
        "Organization",
        "instanceUid:uuid name:text alias:text? type:Provider|Reseller|Company companyId:text? veeamTenantId:text \
        taxId:text? legalName:text? email:text? phone:text? country:int? state:int? countryName:text? regionName:text? \
        city:text? street:text? locationAdmin0Code:text? locationAdmin1Code:text? locationAdmin2Code:text? notes:text? \
        zipCode:text? domain:text? website:text?",
    ),
    (
        "OrganizationUsage",
        "organizationUid:uuid organizationType:Provider|Reseller|Company providerUid:uuid? \
        servers:[@ServerUsage]",
    ),
    ("ServerUsage", "serverUid:uuid serverType:@Family workloads:[@WorkloadUsage]"),
    (
        "WorkloadUsage",
        "id:uuid description:text unitType:Points rentalCount:int newCount:int usedCount:int rentalUnits:number \
        newUnits:number usedUnits:number workloadsByPlatform:[@PlatformUsage]",
    ),
    (
        "PlatformUsage",
        "typeId:text description:text weight:number rentalCount:int newCount:int usedCount:int \
        rentalUnits:number newUnits:number usedUnits:number",
    ),
    ("Product", "productId:uuid name:text edition:text version:text workloads:[@ProductWorkload]"),
    ("ProductWorkload", "workloadId:text name:text multiplier:number"),
    (
        "Pulse",
        "isCompanyMappingEnabled:flag isLicenseManagementEnabled:flag isPushingNewCompaniesToPulseEnabled:flag \
        token:text? status:Configured statusMessage:text lastUpdateDate:instant? tokenExpirationDate:instant?",
    ),
    (
        "Report",
        "reportStatus:ApprovalRequired|Finalization|Approved reportParameters:@ReportParameters \
        reportSummary:@ReportSummary organizationsUsage:[@ReportOrganization] notCollectedCloudServers:[text] \
        clonedCloudServers:[text] unsupportedCloudServers:[text] usageDetails:[@ReportDetails] appendices:[text]",
    ),
    (
        "ReportParameters",
        "reportId:int organizationName:text organizationUid:uuid licenseCompanyName:text generationDate:day \
        reportInterval:@ReportInterval",
    ),
    ("ReportInterval", "startOfInterval:day endOfInterval:day"),
    ("ReportSummary", "totalPoints:number productsUsage:[@ReportProduct]"),
    ("ReportProduct", "productType:@Family licenseEdition:text totalPoints:number workloadUsage:[@ReportWorkload]"),
    (
        "ReportWorkload",
        "workloadType:text description:text initialCount:int reportedCount:int newCount:int weight:number \
        usedPoints:number workloadsByPlatform:[@ReportPlatform]",
    ),
    ("ReportPlatform", "typeId:text description:text objectsByWeight:[@ReportWeight]"),
    ("ReportWeight", "initialCount:int reportedCount:int newCount:int weight:number usedPoints:number"),
    (
        "ReportOrganization",
        "organizationType:Provider|Reseller|Company organizationName:text organizationUid:uuid \
        usedPoints:number",
    ),
    (
        "ReportDetails",
        "organizationName:text organizationUid:uuid supportId:text? notCollectedClientServers:[text] \
        clonedClientServers:[text] unsupportedClientServers:[text] usageByLicenseAndProduct:[@ReportLicense]",
    ),
    (
        "ReportLicense",
        "licenseId:uuid? productType:@Family licenseEdition:text usedPoints:number \
        workloadUsage:[@ReportWorkload]",
    ),
    ("ReportSettings", "autoApprove:flag"),
    (
        "SiteLicense",
        "autoUpdateEnabled:flag siteUid:uuid edition:text? monitoring:flag? packages:[text] company:text email:text \
        contactPerson:text expirationDate:instant? supportExpirationDate:instant? licenseIds:[uuid] supportIds:[text] \
        sectionTypes:[text] status:Unlicensed|Valid|Warning|Expired cloudConnect:Yes units:number usedUnits:number \
        unitType:Points type:Rental",
    ),
    (
        "Tenant",
        "instanceUid:uuid mappingStatus:Mapped|NotMapped mappingStatusMessage:text name:text \
        mappedMasterOrganizationUid:uuid? mergedOrganizationUids:[uuid]",
    ),
    (
        "Token",
        "access_token:text token_type:bearer refresh_token:text mfa_token:text? encrypted_code:text? expires_in:int",
    ),
    ("OAuth2Error", "error:text error_description:text error_uri:text?"),
    ("ErrorResponse", "errors:[@ResponseError]"),
    ("ResponseError", "message:text type:logical|retryableLogical|security|transport|unspecified code:int"),
    ("ResponseMetadata", "pagingInfo:@PagingInfo"),
    ("PagingInfo", "total:int count:int offset:int"),
];

/// What clients send, with what must be there.
const INPUTS: &[(&str, &str, &[&str])] = &[
    ("AsyncActionData", "requestBody:text? queryParameters:map?", &[]),
    ("JsonPatch", "op:add|remove|replace|test|move|copy path:text value:any from:text", &["op", "path"]),
    (
        "LicenseInput",
        "productId:text contractId:text expirationDate:instant workloads:[@LicenseWorkloadInput] description:text? \
            type:Rental|Internal isAutomaticReportingEnabled:flag?",
        &["productId", "contractId", "expirationDate", "workloads"],
    ),
    ("LicenseWorkloadInput", "workloadId:text count:count", &["workloadId", "count"]),
    ("LicenseFile", "license:file", &["license"]),
    ("TokenRequest", "grant_type:text username:text password:text refresh_token:text readOnly:text", &["grant_type"]),
];

/// The families that products are shown under.
const FAMILY: &str = "BackupAndReplication|VB365|VONE|CloudConnect|VSPC|Unknown";

/// All shapes, by name.
pub(crate) fn all() -> Value {
    let mut all = Map::new();
    for (name, properties) in SHAPES {
        all.insert((*name).to_owned(), object(properties, &[], false));
    }
    for (name, properties, required) in INPUTS {
        all.insert((*name).to_owned(), object(properties, required, true));
    }
    all.insert("Family".to_owned(), of(FAMILY));
    Value::Object(all)
}

fn object(properties: &str, required: &[&str], open: bool) -> Value {
    let typed = |text: &str| {
        let (name, kind) = text.split_once(':').expect("a name and a type");
        (name.to_owned(), of(kind))
    };
    let properties: Map<String, Value> = properties.split_whitespace().map(typed).collect();
    let mut shape = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        shape["required"] = json!(required);
    }
    if !open {
        shape["additionalProperties"] = json!(false);
    }
    shape
}

/// The schema of a type.
pub(crate) fn of(kind: &str) -> Value {
    if let Some(one) = kind.strip_suffix('?') {
        let mut schema = of(one);
        schema["type"] = json!([schema["type"], "null"]);
        return schema;
    }
    if let Some(items) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        return json!({ "type": "array", "items": of(items) });
    }
    if let Some(shape) = kind.strip_prefix('@') {
        return json!({ "$ref": format!("#/components/schemas/{shape}") });
    }
    match kind {
        "any" => json!({}),
        "object" => json!({ "type": "object" }),
        "map" => {
            let texts = json!({ "type": "array", "items": { "type": "string" } });
            json!({ "type": "object", "additionalProperties": texts })
        }
        "text" | "filter" | "sort" | "select" => json!({ "type": "string" }),
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        "instant" => json!({ "type": "string", "format": "date-time" }),
        "day" => json!({ "type": "string", "format": "date" }),
        "file" => json!({ "type": "string", "contentMediaType": "application/octet-stream" }),
        "flag" => json!({ "type": "boolean" }),
        "number" => json!({ "type": "number" }),
        "int" => json!({ "type": "integer" }),
        "limit" => json!({ "type": "integer", "minimum": 0, "maximum": 500 }),
        "offset" | "count" => json!({ "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 }),
        words => json!({ "type": "string", "enum": words.split('|').collect::<Vec<_>>() }),
    }
}
